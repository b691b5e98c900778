package import Rootfs

/// A numbered place for a descriptor in the child, with a name for the reader.
package struct Slot: Hashable, Sendable, CustomStringConvertible {
    package let index: Int16
    package let name: String

    package var description: String { "$\(name)" }
}

/// A path, as seen from the directory in a slot (and never outside of it), or in the host's view.
package struct Place: Hashable, Sendable, CustomStringConvertible {
    package let slot: Slot?
    package let path: String

    package static func host(_ path: String) -> Place { Place(slot: nil, path: path) }

    package static func within(_ slot: Slot, _ path: String) -> Place { Place(slot: slot, path: path) }

    package var description: String {
        guard let slot else { return "host:\(path)" }
        return path.isEmpty ? slot.description : "\(slot):\(path)"
    }
}

/// How a target inside the container's tree is found, and made where it is missing.
package struct TargetRules: OptionSet, Hashable, Sendable {
    package let rawValue: UInt16
    package init(rawValue: UInt16) { self.rawValue = rawValue }

    /// A symbolic link anywhere in the path is refused.
    package static let noLinks = TargetRules(rawValue: 1)
    package static let makeDirectory = TargetRules(rawValue: 2)
    /// Made as a directory or a file, as what is mounted there is.
    package static let makeLike = TargetRules(rawValue: 4)
    package static let notProc = TargetRules(rawValue: 8)
    package static let sameMount = TargetRules(rawValue: 32)
    package static let directory = TargetRules(rawValue: 64)
    static let hostTerminal = TargetRules(rawValue: 128)
    /// What covers a directory is not copied for it.
    static let itself = TargetRules(rawValue: 256)

    private static let words: [(TargetRules, String)] = [
        (.noLinks, "nolinks"), (.makeDirectory, "mkdir"), (.makeLike, "create"), (.notProc, "notproc"),
        (.sameMount, "nocross"), (.directory, "directory"),
    ]

    var text: String {
        let names = TargetRules.words.filter { contains($0.0) }.map(\.1)
        return names.isEmpty ? "" : " (\(names.joined(separator: ",")))"
    }
}

/// Descriptors of the caller's for the container's process; -1 reads from or writes to the container's /dev/null.
package struct StandardIO: Hashable, Sendable {
    package var input: Int32
    package var output: Int32
    package var error: Int32

    package init(input: Int32 = -1, output: Int32 = -1, error: Int32 = -1) {
        self.input = input
        self.output = output
        self.error = error
    }

    /// The caller's own.
    package static let inherited = StandardIO(input: 0, output: 1, error: 2)
}

/// What passes the exec besides 0, 1 and 2.
package struct PassedDescriptors: Hashable, Sendable {
    /// How many from 3 on are the command's.
    package var kept: UInt32 = 0
    package var gate: Gate?

    package init(kept: UInt32 = 0, gate: Gate? = nil) {
        self.kept = kept
        self.gate = gate
    }

    /// Descriptors of the caller's that hold a container between its creation and its start.
    package struct Gate: Hashable, Sendable {
        /// A byte from it lets the command be executed.
        package var start: Int32
        /// Gets what keeps it from being executed (`Launcher.heldFailure`).
        package var report: Int32

        package init(start: Int32, report: Int32) {
            self.start = start
            self.report = report
        }
    }
}

/// One step of a launch, as the child carries it out (`CInit`): decided here, with nothing left to look up.
package enum PlanOp: Hashable, Sendable {
    case awaitRelease
    /// Says that it waits.
    case awaitHooks
    /// The same for who gets its ids from a parent without rights, who must be able to write them.
    case awaitMapping
    /// By the files that the parent opened, where it gave any.
    case joinCgroup
    case unshare(NamespaceFlags)
    case joinNamespace(path: String, NamespaceFlags)
    /// Those of the process that the start names, all at once; the slot gets the root of its mounts.
    case join(Slot, NamespaceFlags)
    /// Some of those of a process that the start names; what starts children in its pid namespace comes later.
    case share(target: Int, NamespaceFlags)
    /// A copy of what such a process has mounted at `path`, without what is mounted below it. It must be a procfs where
    /// `isProc` is set.
    case borrow(Slot, target: Int, path: String, isProc: Bool)
    case makeMountsPrivate
    /// What the host mounts later still comes through; what the container mounts does not go there.
    case makeMountsSlaves
    case changeDirectory(String)
    case open(Slot, Place, flags: Int32, TargetRules)
    case nullDevice(Slot, Place, flags: Int32)
    case cloneTree(Slot, Place, recursive: Bool)
    case filesystem(Slot, type: String, options: [MountOption], MountAttributes)
    case overlay(mountPoint: String, options: String)
    case attributes(Slot, set: MountAttributes, clear: MountAttributes, Propagation?, recursive: Bool)
    case attach(Slot, Place, TargetRules)
    case makePath(Place)
    case node(Place, DeviceNode)
    case link(Place, target: String)
    case write(Place, value: String)
    case mask(Place, file: Slot, directory: Slot, TargetRules)
    case readOnly(Place, TargetRules)
    case pty(Slot, devpts: Slot, rows: UInt16, columns: UInt16, owner: UInt32)
    /// A terminal of the host's.
    case hostTerminal(Slot, rows: UInt16, columns: UInt16)
    case pivot(Slot)
    case workDirectory(Place)
    case hostName(String)
    case domainName(String)
    case loopback
    case limit(ResourceLimit)
    case keyring(String)
    case stdio(StandardIO, null: Slot?, owner: UInt32)
    case terminal(Slot, controlling: Bool)
    case bounding(CapabilityMask)
    case groups([UInt32])
    case ids(uid: UInt32, gid: UInt32)
    case capabilities(effective: CapabilityMask, permitted: CapabilityMask, inheritable: CapabilityMask)
    case ambient(CapabilityMask)
    case noNewPrivileges
    case seccomp(SeccompProgram)
    case parentDeath(signal: Int32)
    case umask(UInt32)
    /// User and group 0 of the user namespace, which can own what is made from here on.
    case becomeRoot
    /// In a mount namespace that others are in.
    case changeRoot(Slot)
    /// In place of `pivot`, where the host's root is an initramfs.
    case moveRoot(Slot)
    /// What the parent made ready: by its index among `ParentSteps.copied`.
    case inherit(Slot, Int)
    case copyUp(Slot, Place)
    case reconfigure(Place, options: [MountOption])
    case label(Slot, String)
    case ioPriority(UInt32)
    case scheduler(SchedulerAttributes)
    case personality(UInt32)
    /// `tolerant`: CPUs that are out of reach are no error.
    case affinity(CPUList, tolerant: Bool)
    case sealDescriptors(PassedDescriptors)
    case exec
}

/// The node of a device or a fifo.
package struct DeviceNode: Hashable, Sendable {
    /// With the type bits of mknod(2).
    package var mode: UInt32
    package var major: UInt32
    package var minor: UInt32
    package var uid: UInt32 = 0
    package var gid: UInt32 = 0
}

/// One setrlimit(2) resource.
package struct ResourceLimit: Hashable, Sendable {
    package var name: String
    package var resource: UInt32
    package var soft: UInt64
    package var hard: UInt64
}

/// A filter for seccomp(2): instructions of eight bytes each, and SECCOMP_FILTER_FLAG_*.
package struct SeccompProgram: Hashable, Sendable {
    package var bytecode: [UInt8]
    package var flags: UInt64

    package init(bytecode: [UInt8], flags: UInt64) {
        self.bytecode = bytecode
        self.flags = flags
    }

    package var instructions: Int { bytecode.count / 8 }
}
