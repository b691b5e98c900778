extension Spec {
    package struct Linux: Hashable, Sendable {
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
        /// SELinux's label of the mounts.
        package var mountLabel: String?
        package var personality: Personality?
        /// By clock: `monotonic` and `boottime`.
        package var timeOffsets: [String: TimeOffset]?

        package init() {}
    }

    /// personality(2).
    package struct Personality: Hashable, Sendable {
        /// `LINUX` or `LINUX32`.
        package var domain: String
        package var flags: [String]?

        package init(domain: String) { self.domain = domain }
    }

    /// time_namespaces(7).
    package struct TimeOffset: Hashable, Sendable {
        package var secs: Int64
        package var nanosecs: UInt32

        package init(secs: Int64, nanosecs: UInt32) {
            self.secs = secs
            self.nanosecs = nanosecs
        }
    }

    package struct Namespace: Hashable, Sendable {
        package enum Kind: String, Hashable, Sendable, CaseIterable {
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

    package struct IDMapping: Hashable, Sendable {
        package var containerID: UInt32
        package var hostID: UInt32
        package var size: UInt32

        package init(containerID: UInt32, hostID: UInt32, size: UInt32) {
            self.containerID = containerID
            self.hostID = hostID
            self.size = size
        }
    }

    package struct Device: Hashable, Sendable {
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

    package struct Resources: Hashable, Sendable {
        package var devices: [DeviceRule] = []
        package var memory: Memory?
        package var cpu: CPU?
        package var pids: Pids?
        package var blockIO: BlockIO?
        package var hugepageLimits: [HugepageLimit]?
        package var network: Network?
        /// By device, `mlx5_1`.
        package var rdma: [String: RDMA]?
        /// cgroup v2 files by name, for what the spec has no field for.
        package var unified: [String: String]?

        package init() {}
    }

    package struct DeviceRule: Hashable, Sendable {
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
    package struct Memory: Hashable, Sendable {
        package var limit: Int64?
        package var reservation: Int64?
        package var swap: Int64?
        package var kernel: Int64?
        package var kernelTCP: Int64?
        package var swappiness: UInt64?
        package var disableOOMKiller: Bool?
        package var useHierarchy: Bool?
        /// A limit below what is in use is refused.
        package var checkBeforeUpdate: Bool?

        package init() {}
    }

    package struct CPU: Hashable, Sendable {
        package var shares: UInt64?
        /// Microseconds of CPU time a `period`; -1 is no limit.
        package var quota: Int64?
        /// Microseconds.
        package var period: UInt64?
        /// Microseconds that may be saved up; not above `quota`.
        package var burst: UInt64?
        /// Microseconds a `realtimePeriod`.
        package var realtimeRuntime: Int64?
        package var realtimePeriod: UInt64?
        package var cpus: String?
        package var mems: String?
        /// 1: SCHED_IDLE for the whole cgroup.
        package var idle: Int64?

        package init() {}
    }

    package struct Pids: Hashable, Sendable {
        /// -1 or 0 is no limit.
        package var limit: Int64

        package init(limit: Int64) { self.limit = limit }
    }

    package struct BlockIO: Hashable, Sendable {
        /// 10 to 1000; 0 is the kernel's own.
        package var weight: UInt16?
        package var leafWeight: UInt16?
        package var weightDevice: [WeightDevice]?
        package var throttleReadBpsDevice: [ThrottleDevice]?
        package var throttleWriteBpsDevice: [ThrottleDevice]?
        package var throttleReadIOPSDevice: [ThrottleDevice]?
        package var throttleWriteIOPSDevice: [ThrottleDevice]?

        package init(weight: UInt16? = nil) { self.weight = weight }
    }

    package struct WeightDevice: Hashable, Sendable {
        package var major: Int64
        package var minor: Int64
        package var weight: UInt16?
        package var leafWeight: UInt16?

        package init(major: Int64, minor: Int64) {
            self.major = major
            self.minor = minor
        }
    }

    package struct ThrottleDevice: Hashable, Sendable {
        package var major: Int64
        package var minor: Int64
        /// Bytes or operations a second.
        package var rate: UInt64

        package init(major: Int64, minor: Int64, rate: UInt64) {
            self.major = major
            self.minor = minor
            self.rate = rate
        }
    }

    package struct HugepageLimit: Hashable, Sendable {
        /// `2MB`.
        package var pageSize: String
        /// Bytes.
        package var limit: UInt64

        package init(pageSize: String, limit: UInt64) {
            self.pageSize = pageSize
            self.limit = limit
        }
    }

    /// net_cls and net_prio, of cgroup v1.
    package struct Network: Hashable, Sendable {
        package struct Priority: Hashable, Sendable {
            package var name: String
            package var priority: UInt32

            package init(name: String, priority: UInt32) {
                self.name = name
                self.priority = priority
            }
        }

        package var classID: UInt32?
        package var priorities: [Priority]?

        package init() {}
    }

    package struct RDMA: Hashable, Sendable {
        package var hcaHandles: UInt32?
        package var hcaObjects: UInt32?

        package init() {}
    }

    /// The runtime spec's seccomp object (config-linux.md#seccomp).
    package struct Seccomp: Hashable, Sendable {
        package var defaultAction: String
        package var defaultErrnoRet: UInt32?
        package var architectures: [String]?
        package var flags: [String]?
        package var syscalls: [Rule]?
        /// A Unix socket that gets the filter's notifications, where a rule has `SCMP_ACT_NOTIFY`.
        package var listenerPath: String?
        package var listenerMetadata: String?

        package init(defaultAction: String) { self.defaultAction = defaultAction }

        package struct Rule: Hashable, Sendable {
            package var names: [String]
            package var action: String
            package var errnoRet: UInt32?
            package var args: [Argument]?

            package init(names: [String], action: String) {
                self.names = names
                self.action = action
            }
        }

        package struct Argument: Hashable, Sendable {
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
