/// What `info` tells of this installation and this machine, named as docker's keys.
package struct SystemInfo: Sendable, Hashable {
    package var id = ""
    package var containers = 0
    package var containersRunning = 0
    package var containersPaused = 0
    package var containersStopped = 0
    package var images = 0
    package var driver = "overlay2"
    /// `Backing Filesystem` and the like, in order.
    package var driverStatus: [[String]] = []
    package var dataRoot = ""
    package var kernelVersion = ""
    package var operatingSystem = ""
    package var osVersion = ""
    package var architecture = ""
    package var cpus = 0
    /// Bytes.
    package var memoryTotal: Int64 = 0
    package var name = ""
    package var serverVersion = ""
    package var cgroupDriver = "cgroupfs"
    /// `1` or `2`.
    package var cgroupVersion = ""
    /// `name=seccomp,profile=builtin` and the like.
    package var securityOptions: [String] = []
    /// What `--network` can be here, beside a container's.
    /// Name and path of each OCI runtime, and the one that is used unasked.
    package var runtimes: [String: String] = [:]
    package var defaultRuntime = ""
    package var networks: [String] = []
    /// What is different for an ordinary user; empty for root.
    package var rootless = ""
    package var registryMirrors: [String] = []
    package var insecureRegistries: [String] = []
    package var httpProxy = ""
    package var httpsProxy = ""
    package var noProxy = ""
    package var debug = false
    package var systemTime = ""
    package var memoryLimit = true
    package var swapLimit = true
    package var pidsLimit = true
    package var cpuShares = true
    package var cpuSet = true
    package var cpuCFSQuota = true
    package var ipv4Forwarding = true
    /// Said on standard error below the rest.
    package var warnings: [String] = []

    package init() {}
}

/// What `version` tells.
package struct VersionInfo: Sendable, Hashable {
    package var version: String
    /// The engine API whose shapes are spoken.
    package var apiVersion = "1.49"
    package var gitCommit: String
    /// RFC 3339.
    package var buildTime: String
    package var os: String
    package var architecture: String
    package var kernelVersion = ""
    package var swiftVersion: String

    package init(
        version: String, gitCommit: String, buildTime: String, os: String, architecture: String, swiftVersion: String
    ) {
        self.version = version
        self.gitCommit = gitCommit
        self.buildTime = buildTime
        self.os = os
        self.architecture = architecture
        self.swiftVersion = swiftVersion
    }
}
