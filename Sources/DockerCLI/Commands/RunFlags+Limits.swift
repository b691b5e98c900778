internal import Engine

extension RunFlags {
    static let resources: [RunFlag] = ResourceFlags.table(at: \.request.resources)

    static let isolation: [RunFlag] = [
        .bool("privileged", "Give the container all that the host's root has") { $0.request.isolation.privileged = $1 },
        .value("cap-add", type: "list", takes: .capability, "Add a capability, or ALL") {
            (draft, text) throws(ValueError) in
            draft.request.isolation.addedCapabilities.append(try CapabilityName.normalize(text, list: "CapAdd"))
        },
        .value("cap-drop", type: "list", takes: .capability, "Take a capability away, or ALL") {
            (draft, text) throws(ValueError) in
            draft.request.isolation.droppedCapabilities.append(try CapabilityName.normalize(text, list: "CapDrop"))
        },
        .value(
            "cap-profile", takes: .names(of: IsolationOptions.CapabilityProfile.self),
            "Capabilities to start from: runimg, docker or podman", default: "\"runimg\""
        ) {
            (draft, text) throws(ValueError) in
            draft.request.isolation.capabilityProfile = try Modes.capabilityProfile(text)
        },
        .value(
            "security-opt", type: "list", takes: Modes.securityValues,
            "no-new-privileges, seccomp=unconfined or seccomp=FILE"
        ) {
            (draft, text) throws(ValueError) in
            try Modes.security(text, &draft.request.isolation)
        },
        .value(
            "sysctl", type: "map", takes: .text, "Kernel parameter of the container's namespaces: NAME=VALUE",
            default: "map[]"
        ) {
            (draft, text) throws(ValueError) in
            draft.request.isolation.sysctls.append(try Names.sysctl(text))
        },
        .value("pid", takes: .namespace, "PID namespace: host or container:NAME") { (draft, text) throws(ValueError) in
            draft.request.isolation.pid = try Modes.namespace(text, flag: "--pid", kind: "PID")
        },
        .value("ipc", takes: .ipcNamespace, "IPC namespace: private, shareable, none, host or container:NAME") {
            (draft, text) throws(ValueError) in
            draft.request.isolation.ipc = try Modes.ipc(text)
        },
        .value("uts", takes: .namespace, "UTS namespace: host or container:NAME") { (draft, text) throws(ValueError) in
            draft.request.isolation.uts = try Modes.namespace(text, flag: "--uts", kind: "UTS")
        },
        .value("cgroupns", takes: .words(["private"]), "Cgroup namespace: private") { (_, text) throws(ValueError) in
            if text == "host" { throw .planned("--cgroupns host") }
            guard ["", "private"].contains(text) else { throw .plain("--cgroupns: invalid CGROUP mode") }
        },
        .value("userns", takes: .words(["host"]), "User namespace: host") { (_, text) throws(ValueError) in
            // The host's user namespace is what rootful containers have.
            if ["", "host"].contains(text) { return }
            throw .planned("--userns \(Names.printable(text))")
        },
        .bool("disable-content-trust", "Without effect: signatures of Notary are not read", default: "true") {
            (_, skip) throws(ValueError) in
            if !skip { throw .plain(CommonFlags.contentTrust) }
        },
        .value("isolation", takes: .words(["default"]), "Isolation technology: default") {
            (_, text) throws(ValueError) in
            guard ["", "default"].contains(text.lowercased()) else {
                throw .plain("invalid isolation \(GoValue.quoted(text)): Windows only; Linux has \"default\"")
            }
        },
    ]
}
