internal import CLinux
internal import Glibc

/// What a kernel's Landlock can be asked for (landlock(7)): everything it knows, so that what is not granted is denied.
/// A pure function of the ABI's number.
package struct LandlockPolicy: Hashable, Sendable {
    /// LANDLOCK_ACCESS_FS_*.
    package struct Files: OptionSet, Hashable, Sendable {
        package let rawValue: UInt64
        package init(rawValue: UInt64) { self.rawValue = rawValue }

        package static let execute = Files(rawValue: 1 << 0)
        package static let writeFile = Files(rawValue: 1 << 1)
        package static let readFile = Files(rawValue: 1 << 2)
        package static let readDirectory = Files(rawValue: 1 << 3)
        package static let removeDirectory = Files(rawValue: 1 << 4)
        package static let removeFile = Files(rawValue: 1 << 5)
        package static let makeCharacterDevice = Files(rawValue: 1 << 6)
        package static let makeDirectory = Files(rawValue: 1 << 7)
        package static let makeFile = Files(rawValue: 1 << 8)
        package static let makeSocket = Files(rawValue: 1 << 9)
        package static let makeFifo = Files(rawValue: 1 << 10)
        package static let makeBlockDevice = Files(rawValue: 1 << 11)
        package static let makeLink = Files(rawValue: 1 << 12)
        package static let refer = Files(rawValue: 1 << 13)
        package static let truncate = Files(rawValue: 1 << 14)
        package static let controlDevice = Files(rawValue: 1 << 15)
    }

    /// LANDLOCK_ACCESS_NET_*.
    package struct Network: OptionSet, Hashable, Sendable {
        package let rawValue: UInt64
        package init(rawValue: UInt64) { self.rawValue = rawValue }

        package static let bindTCP = Network(rawValue: 1 << 0)
        package static let connectTCP = Network(rawValue: 1 << 1)
    }

    /// LANDLOCK_SCOPE_*: what is kept from processes outside.
    package struct Scopes: OptionSet, Hashable, Sendable {
        package let rawValue: UInt64
        package init(rawValue: UInt64) { self.rawValue = rawValue }

        package static let abstractSockets = Scopes(rawValue: 1 << 0)
        package static let signals = Scopes(rawValue: 1 << 1)
    }

    /// What a path and all below it may be used for.
    package enum Grant: Hashable, Sendable {
        case read
        /// Regular files only, in the directory itself or below: made, written, removed.
        case files
        /// Whole trees of every kind of file. Nowhere is anything executed, nor a device spoken to.
        case trees
    }

    package let files: Files
    package let network: Network
    package let scopes: Scopes
    /// What the kernel is too old for, in words.
    package let lacking: [String]

    /// nil: without the right to move files between directories (ABI 2), which extraction does, there is no use in it.
    package init?(abi: Int32) {
        guard abi >= 2 else { return nil }
        var lacking: [String] = []
        var files = Files(rawValue: (1 << 14) - 1)
        if abi >= 3 { files.insert(.truncate) } else { lacking.append("truncation") }
        if abi >= 5 { files.insert(.controlDevice) } else { lacking.append("ioctl of devices") }
        if abi >= 4 { network = [.bindTCP, .connectTCP] } else { network = [] }
        if abi < 4 { lacking.append("TCP") }
        if abi >= 6 { scopes = [.abstractSockets, .signals] } else { scopes = [] }
        if abi < 6 { lacking.append("abstract sockets and signals") }
        self.files = files
        self.lacking = lacking
    }

    /// The rights of a grant. Of a file only those that files have: the kernel refuses others (EINVAL).
    package func rights(_ grant: Grant, isDirectory: Bool) -> Files {
        var rights: Files
        switch grant {
        case .read: rights = [.readFile, .readDirectory]
        case .files: rights = [.readFile, .readDirectory, .writeFile, .truncate, .makeFile, .removeFile]
        case .trees: rights = files.subtracting([.execute, .controlDevice])
        }
        if !isDirectory { rights.formIntersection([.readFile, .writeFile, .truncate]) }
        return rights.intersection(files)
    }
}

/// Landlock's rules for the calling thread and those it starts.
package enum Landlock {
    /// 0: the kernel has none, or was told to do without.
    package static var abi: Int32 { max(0, clinux_landlock_version()) }

    /// Enforces the policy for good. Paths that are not there are passed over; a link stands for what it leads to. TCP
    /// connections are made to `ports` only, where the policy knows TCP. Open descriptors stay as they are.
    package static func enforce(
        _ policy: LandlockPolicy, paths: [(path: String, grant: LandlockPolicy.Grant)], ports: [UInt16]
    ) throws(Errno) {
        let ruleset = OwnedFD(
            adopting: try check {
                clinux_landlock_create(
                    policy.files.rawValue, policy.network.rawValue, policy.scopes.rawValue)
            })
        let fd = ruleset.raw
        for (path, grant) in paths {
            let file: OwnedFD
            do throws(Errno) {
                file = try File.open(path, O_PATH)
            } catch {
                continue
            }
            let rights = policy.rights(grant, isDirectory: try File.status(file.raw).isDirectory)
            let raw = file.raw
            try check { clinux_landlock_allow_path(fd, raw, rights.rawValue) }
        }
        if policy.network.contains(.connectTCP) {
            let right = LandlockPolicy.Network.connectTCP.rawValue
            for port in ports { try check { clinux_landlock_allow_port(fd, port, right) } }
        }
        try check { clinux_landlock_restrict(fd) }
    }
}
