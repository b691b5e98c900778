extension RunFlags {
    /// docker's, still to come.
    static let planned: [RunFlag] = [
        .planned("blkio-weight-device", type: "list", "Weight of block I/O on a device"),
        .planned("cgroup-parent", "Parent of the container's cgroup"),
        .planned("cpu-rt-period", type: "int", "Period of the real-time quota in microseconds", neutral: "0"),
        .planned("cpu-rt-runtime", type: "int", "Real-time CPU time a period in microseconds", neutral: "0"),
        .planned("device-cgroup-rule", type: "list", "Rule for the device cgroup"),
        .planned("device-read-bps", type: "list", "Bytes a second read from a device"),
        .planned("device-read-iops", type: "list", "Reads a second from a device"),
        .planned("device-write-bps", type: "list", "Bytes a second written to a device"),
        .planned("device-write-iops", type: "list", "Writes a second to a device"),
        .planned("gpus", type: "gpu-request", "GPUs for the container"),
        networking("link", type: "list", "Link to another container"),
        .planned("link-local-ip", type: "list", "Link-local addresses"),
        .planned("memory-swappiness", type: "int", "Inclination to swap, 0 to 100", neutral: "-1"),
        .planned("oom-kill-disable", type: "bool", "Stop instead of kill when memory runs out"),
        .planned("oom-score-adj", type: "int", "Inclination of the kernel to kill, -1000 to 1000", neutral: "0"),
        .planned("storage-opt", type: "list", "Option of the storage driver"),
        .planned("use-api-socket", type: "bool", "Mount the API socket and credentials"),
        .planned("volume-driver", "Driver of volumes", neutral: "local"),
        windows("cpu-count", "int", neutral: "0"),
        windows("cpu-percent", "int", neutral: "0"),
        windows("io-maxbandwidth", "bytes", neutral: "0"),
        windows("io-maxiops", "uint", neutral: "0"),
    ]

    /// Refused in docker's words beside the network of another container, so judged when all flags are there.
    private static func networking(_ name: String, type: String = "string", _ usage: String) -> RunFlag {
        let flag = RunFlag.planned(name, type: type, usage)
        return RunFlag(info: flag.info) { (draft, _) in draft.plannedNetworking.append(name) }
    }

    private static func windows(_ name: String, _ type: String, neutral: String) -> RunFlag {
        .refused(name, type: type, "Windows only", reason: "Windows only", neutral: neutral)
    }

    /// Taken from other tools and from plans of our own, still to come.
    static let peers: [RunFlag] = [
        .planned("authfile", "File of registry credentials"),
        .planned("cert-dir", "Directory of registry certificates"),
        .planned("env-host", type: "bool", "Pass the whole environment on"),
        .planned("max-concurrent-downloads", type: "int", "Layers pulled at once"),
        .planned("pidfile", "Write the container's process ID to this file"),
        .planned("preserve-fds", type: "int", "Descriptors above 2 passed on", neutral: "0"),
        .planned("progress", "How a pull is shown: auto, plain, tty, json, none", neutral: "auto"),
        .planned("replace-container", type: "bool", "Take the place of a container of the same name"),
        .planned("timeout", type: "int", "Most seconds the container may run", neutral: "0"),
        .planned("tls-verify", type: "bool", "Check the certificates of registries", neutral: "true"),
        .planned("tz", "Time zone of the container"),
        .planned("umask", "File mode mask of the container"),
        .planned("unsetenv", type: "list", "Take a variable of the image's away"),
        .planned("wait", type: "bool", "Return when the container is ready"),
    ]
}
