internal import OCI
internal import Sys

/// A set of Linux capabilities (capabilities(7)) as the kernel's 64-bit mask.
package struct CapabilityMask: OptionSet, Hashable, Sendable {
    package let rawValue: UInt64

    package init(rawValue: UInt64) { self.rawValue = rawValue }

    /// In the order of their numbers.
    static var table: [String] { CapabilityNames.inOrder }

    /// All 41 that this program knows by name.
    package static let all = CapabilityMask(rawValue: (1 << UInt64(table.count)) - 1)

    package static let dacReadSearch = named(2)
    package static let sysModule = named(16)
    package static let sysRawIO = named(17)
    package static let sysChroot = named(18)
    package static let sysPtrace = named(19)
    package static let sysPacct = named(20)
    package static let sysAdmin = named(21)
    package static let sysBoot = named(22)
    package static let sysNice = named(23)
    package static let sysTime = named(25)
    package static let sysTTYConfig = named(26)
    package static let auditWrite = named(29)
    package static let syslog = named(34)
    package static let perfmon = named(38)
    package static let bpf = named(39)

    private static func named(_ number: UInt64) -> CapabilityMask { CapabilityMask(rawValue: 1 << number) }

    /// The capability of a name in any case, with or without `CAP_`, as docker's flags take it.
    package init(name: String) throws(CapabilityError) {
        let full = CapabilityNames.full(name)
        guard let number = CapabilityMask.table.firstIndex(of: full) else {
            throw .unknown(name: name, nearest: NearestNames.of(full, in: CapabilityMask.table).first)
        }
        self.init(rawValue: 1 << UInt64(number))
    }

    /// The union of the capabilities named, as in the runtime spec's lists.
    package init(names: [String]) throws(CapabilityError) {
        var mask: CapabilityMask = []
        for name in names { mask.formUnion(try CapabilityMask(name: name)) }
        self = mask
    }

    /// `CAP_…` in the order of their numbers; bits without a name are left out.
    package var names: [String] {
        CapabilityMask.table.indices.filter { rawValue >> UInt64($0) & 1 == 1 }.map { CapabilityMask.table[$0] }
    }

    /// What the running kernel knows, by its highest number (`/proc/sys/kernel/cap_last_cap`), as far as we have names.
    /// Where the file cannot be read: all; the kernel then refuses what it does not know.
    package static func kernel() -> CapabilityMask {
        guard let bytes = try? File.readAll("/proc/sys/kernel/cap_last_cap", limit: 64) else { return .all }
        return kernel(lastCap: bytes)
    }

    /// What this process can give: what the kernel knows and we hold ourselves. Inside another container, or under a
    /// service manager that bounds us, that is less than all.
    package static func available() -> CapabilityMask {
        let known = kernel()
        guard let bytes = try? File.readAll("/proc/self/status", limit: 1 << 16) else { return known }
        return available(status: bytes, kernel: known)
    }

    static func available(status bytes: [UInt8], kernel known: CapabilityMask) -> CapabilityMask {
        for line in String(decoding: bytes, as: UTF8.self).split(separator: "\n") where line.hasPrefix("CapPrm:") {
            guard let held = UInt64(line.dropFirst(7).drop { $0 == "\t" || $0 == " " }, radix: 16) else { break }
            return known.intersection(CapabilityMask(rawValue: held))
        }
        return known
    }

    static func kernel(lastCap bytes: [UInt8]) -> CapabilityMask {
        let text = String(decoding: bytes.filter { $0 != 0x0a }, as: UTF8.self)
        guard let last = UInt64(text), last < 63 else { return .all }
        return CapabilityMask(rawValue: (1 << (last + 1)) - 1).intersection(.all)
    }
}

/// A capability that cannot be given.
package enum CapabilityError: Error, Equatable, Sendable, CustomStringConvertible {
    case unknown(name: String, nearest: String?)
    /// Named, but newer than the running kernel, or not ours to give.
    case unsupported(name: String)

    package var description: String {
        switch self {
        case .unknown(let name, let nearest):
            "unknown capability \"\(name)\"" + (nearest.map { ": did you mean \($0)?" } ?? "")
        case .unsupported(let name):
            "capability \(name) is not ours to give: the running kernel does not know it, or runimg itself was started "
                + "without it; leave it out"
        }
    }
}
