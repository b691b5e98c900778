/// A container as the OCI runtime spec describes it (config.md, config-linux.md, 1.2): the border between `Engine`, which
/// makes it from an image and the user's flags, and `Runtime`, which knows nothing of images.
package struct Spec: Hashable, Sendable {
    package var ociVersion: String = "1.2.0"
    package var process: Process
    /// Whether `process` is there at all: without one a container can be created and not started. Then it has no `args`.
    package var hasProcess = true
    package var root: Root
    package var hostname: String?
    package var domainname: String?
    package var mounts: [Mount] = []
    package var annotations: [String: String]?
    package var hooks: Hooks?
    package var linux: Linux = Linux()

    package init(process: Process, root: Root) {
        self.process = process
        self.root = root
    }

    package struct Process: Hashable, Sendable {
        package var terminal: Bool = false
        package var consoleSize: ConsoleSize?
        package var user: User = User()
        package var args: [String]
        package var env: [String] = []
        package var cwd: String = "/"
        package var capabilities: Capabilities = Capabilities()
        package var rlimits: [Rlimit] = []
        package var noNewPrivileges: Bool = false
        package var oomScoreAdj: Int?
        package var apparmorProfile: String?
        package var selinuxLabel: String?
        package var ioPriority: IOPriority?
        package var scheduler: Scheduler?
        package var execCPUAffinity: CPUAffinity?

        package init(args: [String]) { self.args = args }
    }

    /// ioprio_set(2).
    package struct IOPriority: Hashable, Sendable {
        /// `IOPRIO_CLASS_RT`, `IOPRIO_CLASS_BE` or `IOPRIO_CLASS_IDLE`.
        package var `class`: String
        /// 0, the highest, to 7.
        package var priority: Int

        package init(class: String, priority: Int) {
            self.class = `class`
            self.priority = priority
        }
    }

    /// sched_setattr(2).
    package struct Scheduler: Hashable, Sendable {
        /// `SCHED_OTHER` and the like.
        package var policy: String
        package var nice: Int32?
        package var priority: Int32?
        /// `SCHED_FLAG_RESET_ON_FORK` and the like.
        package var flags: [String]?
        /// Nanoseconds, as the other two.
        package var runtime: UInt64?
        package var deadline: UInt64?
        package var period: UInt64?

        package init(policy: String) { self.policy = policy }
    }

    /// CPUs as a list (`0-2,7`) for a further process: before and after it has joined the container's cgroup.
    package struct CPUAffinity: Hashable, Sendable {
        package var initial: String?
        package var final: String?

        package init(initial: String? = nil, final: String? = nil) {
            self.initial = initial
            self.final = final
        }
    }

    /// config.md#posix-platform-hooks, in the order in which they are run.
    package struct Hooks: Hashable, Sendable {
        package var prestart: [Hook]?
        package var createRuntime: [Hook]?
        package var createContainer: [Hook]?
        package var startContainer: [Hook]?
        package var poststart: [Hook]?
        package var poststop: [Hook]?

        package init() {}
    }

    package struct Hook: Hashable, Sendable {
        /// Absolute.
        package var path: String
        /// With the program's name as the first one; nil: the path alone.
        package var args: [String]?
        package var env: [String]?
        /// Seconds until it is killed.
        package var timeout: Int?

        package init(path: String) { self.path = path }
    }

    package struct ConsoleSize: Hashable, Sendable {
        package var height: UInt16
        package var width: UInt16

        package init(height: UInt16, width: UInt16) {
            self.height = height
            self.width = width
        }
    }

    package struct User: Hashable, Sendable {
        package var uid: UInt32 = 0
        package var gid: UInt32 = 0
        package var umask: UInt32?
        package var additionalGids: [UInt32] = []

        package init(uid: UInt32 = 0, gid: UInt32 = 0, additionalGids: [UInt32] = []) {
            self.uid = uid
            self.gid = gid
            self.additionalGids = additionalGids
        }
    }

    /// Names such as `CAP_CHOWN`.
    package struct Capabilities: Hashable, Sendable {
        package var bounding: [String] = []
        package var effective: [String] = []
        package var inheritable: [String] = []
        package var permitted: [String] = []
        package var ambient: [String] = []

        package init() {}
    }

    package struct Rlimit: Hashable, Sendable {
        /// `RLIMIT_NOFILE` and the like.
        package var type: String
        package var soft: UInt64
        package var hard: UInt64

        package init(type: String, soft: UInt64, hard: UInt64) {
            self.type = type
            self.soft = soft
            self.hard = hard
        }
    }

    package struct Root: Hashable, Sendable {
        package var path: String
        package var readonly: Bool = false

        package init(path: String, readonly: Bool = false) {
            self.path = path
            self.readonly = readonly
        }
    }

    package struct Mount: Hashable, Sendable {
        package var destination: String
        package var type: String?
        package var source: String?
        package var options: [String] = []
        /// Of the files on it (mount_setattr(2), MOUNT_ATTR_IDMAP), as if the container's were written.
        package var uidMappings: [IDMapping]?
        package var gidMappings: [IDMapping]?

        package init(destination: String, type: String?, source: String?, options: [String] = []) {
            self.destination = destination
            self.type = type
            self.source = source
            self.options = options
        }
    }
}
