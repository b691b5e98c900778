internal import Engine

extension RunFlags {
    static let resources: [RunFlag] = [
        .value("memory", short: "m", type: "bytes", "Most memory the container may use") {
            (draft, text) throws(ValueError) in
            draft.request.resources.memory = try nonZero(Sizes.ram(text))
        },
        .value("memory-swap", type: "bytes", "Memory and swap together; -1 for unlimited") {
            (draft, text) throws(ValueError) in
            draft.request.resources.memorySwap = try nonZero(Sizes.swap(text))
        },
        .value("memory-reservation", type: "bytes", "Memory kept for the container when memory is short") {
            (draft, text) throws(ValueError) in
            draft.request.resources.memoryReservation = try nonZero(Sizes.ram(text))
        },
        .value("cpus", type: "decimal", "Number of CPUs, such as 1.5") { (draft, text) throws(ValueError) in
            let value = try Sizes.nanoCPUs(text)
            guard value >= 0 else { throw .plain("invalid number of CPUs \(text): must be 0.01 or more") }
            draft.request.resources.nanoCPUs = nonZero(value)
        },
        .value("cpu-shares", short: "c", type: "int", "Weight against other containers") {
            (draft, text) throws(ValueError) in
            let value = try GoValue.int64(text)
            guard let shares = UInt64(exactly: value) else { throw .invalid("must not be negative") }
            draft.request.resources.cpuShares = shares == 0 ? nil : shares
        },
        .value("cpuset-cpus", "CPUs to run on: 0-3 or 0,1") { (draft, text) throws(ValueError) in
            draft.request.resources.cpusetCPUs = try Modes.cpuset(text, "cpus")
        },
        .value("cpuset-mems", "Memory nodes to use: 0-3 or 0,1") { (draft, text) throws(ValueError) in
            draft.request.resources.cpusetMems = try Modes.cpuset(text, "mems")
        },
        .value("pids-limit", type: "int", "Most processes and threads; -1 for unlimited") {
            (draft, text) throws(ValueError) in
            draft.request.resources.pidsLimit = max(-1, try GoValue.int64(text))
        },
        .ignored(
            "kernel-memory", type: "bytes", "Without effect: kernels no longer have this limit",
            warning: "WARNING: --kernel-memory has no effect: kernels no longer have this limit"),
    ]

    private static func nonZero(_ value: Int64) -> Int64? { value == 0 ? nil : value }

    static let isolation: [RunFlag] = [
        .bool("privileged", "Give the container all that the host's root has") { $0.request.isolation.privileged = $1 },
        .value("cap-add", type: "list", "Add a capability, or ALL") { (draft, text) throws(ValueError) in
            draft.request.isolation.addedCapabilities.append(try CapabilityName.normalize(text, list: "CapAdd"))
        },
        .value("cap-drop", type: "list", "Take a capability away, or ALL") { (draft, text) throws(ValueError) in
            draft.request.isolation.droppedCapabilities.append(try CapabilityName.normalize(text, list: "CapDrop"))
        },
        .value("cap-profile", "Capabilities to start from: runimg, docker or podman", default: "\"runimg\"") {
            (draft, text) throws(ValueError) in
            draft.request.isolation.capabilityProfile = try Modes.capabilityProfile(text)
        },
        .value("security-opt", type: "list", "no-new-privileges, seccomp=unconfined or seccomp=FILE") {
            (draft, text) throws(ValueError) in
            try Modes.security(text, &draft.request.isolation)
        },
        .value("sysctl", type: "map", "Kernel parameter of the container's namespaces: NAME=VALUE", default: "map[]") {
            (draft, text) throws(ValueError) in
            draft.request.isolation.sysctls.append(try Names.sysctl(text))
        },
        .value("pid", "PID namespace: host") { (draft, text) throws(ValueError) in
            draft.request.isolation.hostPid = try Modes.host(
                text, flag: "--pid", error: "--pid: invalid PID mode", own: ["", "private"])
        },
        .value("ipc", "IPC namespace: private or host") { (draft, text) throws(ValueError) in
            draft.request.isolation.hostIpc = try Modes.host(
                text, flag: "--ipc", error: "invalid IPC mode: \(Names.printable(text))", own: ["", "private"])
        },
        .value("uts", "UTS namespace: host") { (draft, text) throws(ValueError) in
            draft.request.isolation.hostUts = try Modes.host(
                text, flag: "--uts", error: "--uts: invalid UTS mode", own: ["", "private"])
        },
        .value("cgroupns", "Cgroup namespace: private") { (_, text) throws(ValueError) in
            if text == "host" { throw .planned("--cgroupns host") }
            guard ["", "private"].contains(text) else { throw .plain("--cgroupns: invalid CGROUP mode") }
        },
        .value("userns", "User namespace: host") { (_, text) throws(ValueError) in
            // The host's user namespace is what rootful containers have.
            if ["", "host"].contains(text) { return }
            throw .planned("--userns \(Names.printable(text))")
        },
        .bool("disable-content-trust", "Without effect: signatures of Notary are not read", default: "true") {
            (_, skip) throws(ValueError) in
            if !skip { throw .plain(CommonFlags.contentTrust) }
        },
        .value("isolation", "Isolation technology: default") { (_, text) throws(ValueError) in
            guard ["", "default"].contains(text.lowercased()) else {
                throw .plain("invalid isolation \(GoValue.quoted(text)): Windows only; Linux has \"default\"")
            }
        },
    ]
}
