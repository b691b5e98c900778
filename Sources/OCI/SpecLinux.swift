extension Spec {
    package struct Linux: Hashable, Sendable, Codable {
        package var namespaces: [Namespace] = []
        package var uidMappings: [IDMapping]?
        package var gidMappings: [IDMapping]?
        package var devices: [Device] = []
        package var cgroupsPath: String?
        package var resources: Resources = Resources()
        package var rootfsPropagation: String?
        package var seccomp: Seccomp?
        package var sysctl: [String: String] = [:]
        package var maskedPaths: [String] = []
        package var readonlyPaths: [String] = []

        package init() {}
    }

    package struct Namespace: Hashable, Sendable, Codable {
        package enum Kind: String, Hashable, Sendable, Codable, CaseIterable {
            case pid, network, mount, ipc, uts, user, cgroup, time
        }

        package var type: Kind
        /// An existing namespace to join; nil makes a new one.
        package var path: String?

        package init(_ type: Kind, path: String? = nil) {
            self.type = type
            self.path = path
        }
    }

    package struct IDMapping: Hashable, Sendable, Codable {
        package var containerID: UInt32
        package var hostID: UInt32
        package var size: UInt32

        package init(containerID: UInt32, hostID: UInt32, size: UInt32) {
            self.containerID = containerID
            self.hostID = hostID
            self.size = size
        }
    }

    package struct Device: Hashable, Sendable, Codable {
        package var path: String
        /// `c`, `b`, `u` or `p`.
        package var type: String
        package var major: Int64
        package var minor: Int64
        package var fileMode: UInt32?
        package var uid: UInt32?
        package var gid: UInt32?

        package init(path: String, type: String, major: Int64, minor: Int64, fileMode: UInt32? = nil) {
            self.path = path
            self.type = type
            self.major = major
            self.minor = minor
            self.fileMode = fileMode
        }
    }

    package struct Resources: Hashable, Sendable, Codable {
        package var devices: [DeviceRule] = []
        package var memory: Memory?
        package var cpu: CPU?
        package var pids: Pids?
        package var blockIO: BlockIO?
        /// cgroup v2 files by name, for what the spec has no field for.
        package var unified: [String: String]?

        package init() {}
    }

    package struct DeviceRule: Hashable, Sendable, Codable {
        package var allow: Bool
        package var type: String?
        package var major: Int64?
        package var minor: Int64?
        package var access: String?

        package init(allow: Bool, type: String? = nil, major: Int64? = nil, minor: Int64? = nil, access: String? = nil)
        {
            self.allow = allow
            self.type = type
            self.major = major
            self.minor = minor
            self.access = access
        }
    }

    /// Bytes; -1 is no limit. `swap` is memory and swap together, as in cgroup v1.
    package struct Memory: Hashable, Sendable, Codable {
        package var limit: Int64?
        package var reservation: Int64?
        package var swap: Int64?
        package var swappiness: UInt64?
        package var disableOOMKiller: Bool?

        package init() {}
    }

    package struct CPU: Hashable, Sendable, Codable {
        package var shares: UInt64?
        /// Microseconds of CPU time a `period`; -1 is no limit.
        package var quota: Int64?
        /// Microseconds.
        package var period: UInt64?
        package var cpus: String?
        package var mems: String?

        package init() {}
    }

    package struct Pids: Hashable, Sendable, Codable {
        /// -1 or 0 is no limit.
        package var limit: Int64

        package init(limit: Int64) { self.limit = limit }
    }

    package struct BlockIO: Hashable, Sendable, Codable {
        /// 10 to 1000; 0 is the kernel's own.
        package var weight: UInt16?

        package init(weight: UInt16? = nil) { self.weight = weight }
    }

    /// The runtime spec's seccomp object (config-linux.md#seccomp).
    package struct Seccomp: Hashable, Sendable, Codable {
        package var defaultAction: String
        package var defaultErrnoRet: UInt32?
        package var architectures: [String]?
        package var flags: [String]?
        package var syscalls: [Rule]?

        package init(defaultAction: String) { self.defaultAction = defaultAction }

        package struct Rule: Hashable, Sendable, Codable {
            package var names: [String]
            package var action: String
            package var errnoRet: UInt32?
            package var args: [Argument]?

            package init(names: [String], action: String) {
                self.names = names
                self.action = action
            }
        }

        package struct Argument: Hashable, Sendable, Codable {
            package var index: UInt32
            package var value: UInt64
            package var valueTwo: UInt64?
            package var op: String

            package init(index: UInt32, value: UInt64, valueTwo: UInt64? = nil, op: String) {
                self.index = index
                self.value = value
                self.valueTwo = valueTwo
                self.op = op
            }
        }
    }
}
