package import Engine
internal import OCI

/// Choices of namespaces and of security options.
package enum Modes {
    /// `--pid` and `--uts`: the container's own, the host's or another container's.
    package static func namespace(_ text: String, flag: String, kind: String) throws(ValueError) -> NamespaceMode {
        if text == "private" { return .own }
        guard let mode = NamespaceMode(rawValue: text), mode != .container("") else {
            throw .plain("\(flag): invalid \(kind) mode")
        }
        if case .container(let owner) = mode { try Names.checkReference(owner) }
        return mode
    }

    package static func ipc(_ text: String) throws(ValueError) -> IPCMode {
        if text.isEmpty { return .isolated }
        guard let mode = IPCMode(rawValue: text), mode != .container("") else {
            throw .plain("invalid IPC mode: \(Names.printable(text))")
        }
        if case .container(let owner) = mode { try Names.checkReference(owner) }
        return mode
    }

    static let securityValues = ValueKind.either([
        .words(["no-new-privileges", "seccomp=unconfined", "seccomp=builtin", "apparmor=unconfined", "label=disable"]),
        .prefixed("seccomp=", .file),
    ])

    /// One `--security-opt`, in docker's spellings with `=` or the older `:`.
    package static func security(_ text: String, _ isolation: inout IsolationOptions) throws(ValueError) {
        if text == "no-new-privileges" {
            isolation.noNewPrivileges = true
            return
        }
        var (name, value) = text.cut("=")
        if value == nil { (name, value) = text.cut(":") }
        guard let value, !text.hasControlCharacters else {
            throw .plain("Invalid --security-opt: \(GoValue.quoted(text))")
        }
        switch (name, value) {
        case ("no-new-privileges", _):
            guard let on = try? GoValue.bool(value) else {
                throw .plain("invalid --security-opt 2: \(GoValue.quoted(text))")
            }
            isolation.noNewPrivileges = on
        case ("seccomp", "builtin"): isolation.seccomp = .standard
        case ("seccomp", "unconfined"): isolation.seccomp = .unconfined
        case ("seccomp", ""): throw .plain("Invalid --security-opt: \(GoValue.quoted(text))")
        case ("seccomp", _): isolation.seccomp = .profile(path: value)
        // No profile and no label are set, which is what these ask for.
        case ("apparmor", "unconfined"), ("label", "disable"): break
        case ("apparmor", _), ("label", _), ("systempaths", _), ("writable-cgroups", _):
            throw .planned("--security-opt \(text)")
        default: throw .plain("invalid --security-opt 2: \(GoValue.quoted(text))")
        }
    }

    package static func pull(_ text: String) throws(ValueError) -> RunRequest.PullPolicy {
        if text.isEmpty { return .missing }
        if text == "newer" { throw .planned("pull policy newer") }
        guard let policy = RunRequest.PullPolicy(rawValue: text) else {
            throw .plain("invalid pull option: '\(text)': must be one of \"always\", \"missing\" or \"never\"")
        }
        return policy
    }

    package static func capabilityProfile(_ text: String) throws(ValueError) -> IsolationOptions.CapabilityProfile {
        guard let profile = IsolationOptions.CapabilityProfile(rawValue: text) else {
            let choices = IsolationOptions.CapabilityProfile.allCases.map { "\"\($0.rawValue)\"" }
            throw .invalid("must be one of \(choices.joined(separator: ", "))")
        }
        return profile
    }

    /// A list of CPUs or memory nodes: `0-3,5` (cpuset(7), list format).
    package static func cpuset(_ text: String, _ what: String) throws(ValueError) -> String? {
        if text.isEmpty { return nil }
        for part in text.pieces(",") {
            let (low, high) = part.cut("-")
            guard let first = UInt16(low), let last = UInt16(high ?? low), first <= last,
                !part.utf8.contains(UInt8(ascii: "+"))
            else {
                throw .plain("invalid value \(Names.printable(text)) for cpuset \(what)")
            }
        }
        return text
    }
}
