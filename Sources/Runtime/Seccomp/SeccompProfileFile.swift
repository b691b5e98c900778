package import OCI

/// Profiles of `--security-opt seccomp=FILE`: moby's format, in which rules depend on capabilities, architecture and
/// kernel, podman's additions to it, and the runtime spec's own (docs.docker.com/engine/security/seccomp).
package enum SeccompProfileFile {
    /// - Returns: nil for a profile without default action and rules, which docker takes for "no seccomp".
    package static func parse(
        _ bytes: [UInt8], capabilities: CapabilityMask, architecture: SeccompArchitecture = .native,
        kernel: KernelVersion = .running
    ) throws(SeccompError) -> Spec.Seccomp? {
        let file = try document(bytes)
        let entries = try file.member("syscalls")?.elements() ?? []
        if entries.isEmpty, try file.member("defaultAction") == nil { return nil }
        var profile = Spec.Seccomp(defaultAction: try file.required("defaultAction").string())
        profile.defaultErrnoRet = try errno(in: file, "defaultErrnoRet", "defaultErrno")
        profile.architectures = try architectures(of: file, architecture)
        profile.flags = try file.member("flags")?.strings()
        if let path = try file.member("listenerPath")?.string(), !path.isEmpty {
            throw .unsupported("listenerPath: no agent is told of calls")
        }
        var rules: [Spec.Seccomp.Rule] = []
        for entry in entries {
            let rule = try rule(entry)
            let excludes = try entry.member("excludes").map(SeccompCondition.init)
            let includes = try entry.member("includes").map(SeccompCondition.init)
            if let excludes, excludes.anyHolds(capabilities, architecture, kernel) { continue }
            if let includes, !includes.allHold(capabilities, architecture, kernel) { continue }
            rules.append(rule)
        }
        profile.syscalls = rules
        _ = try SeccompNotification.listener(
            of: profile, lowersPrivilegesLater: false, hasSuccessor: false)
        // What the compiler would refuse is refused here, where the file's name is known.
        _ = try SeccompCompiler.instructions(profile, native: architecture)
        return profile
    }

    private static func document(_ bytes: [UInt8]) throws(SeccompError) -> JSONField {
        do throws(JSONDocument.SyntaxError) {
            return JSONField(path: "", value: try JSONDocument.parse(bytes))
        } catch {
            throw .profile(field: "line \(error.line)", reason: "not JSON: expected \(error.expected)")
        }
    }

    private static func rule(_ entry: JSONField) throws(SeccompError) -> Spec.Seccomp.Rule {
        var names = try entry.member("names")?.strings() ?? []
        // The name of moby's first format.
        if let name = try entry.member("name"), try !name.string().isEmpty {
            if !names.isEmpty { throw name.error("both \"name\" and \"names\" are given, use one of them") }
            names = [try name.string()]
        }
        if names.isEmpty { throw try entry.member("names")?.error("no system call is named") ?? missingNames(entry) }
        var rule = Spec.Seccomp.Rule(names: names, action: try entry.required("action").string())
        rule.errnoRet = try errno(in: entry, "errnoRet", "errno")
        if let list = try entry.member("args") {
            var arguments: [Spec.Seccomp.Argument] = []
            for argument in try list.elements() {
                arguments.append(
                    Spec.Seccomp.Argument(
                        index: try argument.required("index").number(UInt32.self),
                        value: try argument.required("value").number(UInt64.self),
                        valueTwo: try argument.member("valueTwo")?.number(UInt64.self),
                        op: try argument.required("op").string()))
            }
            rule.args = arguments
        }
        return rule
    }

    private static func missingNames(_ entry: JSONField) -> SeccompError {
        JSONField(path: entry.path + ".names", value: entry.value).error("no system call is named")
    }

    private static func architectures(
        of file: JSONField, _ native: SeccompArchitecture
    ) throws(SeccompError) -> [String]? {
        let plain = try file.member("architectures")?.strings()
        guard let map = try file.member("archMap"), try !map.elements().isEmpty else { return plain }
        if !(plain ?? []).isEmpty {
            throw map.error("both \"architectures\" and \"archMap\" are given, use one of them")
        }
        for entry in try map.elements() where try entry.required("architecture").string() == native.rawValue {
            return [native.rawValue] + (try entry.member("subArchitectures")?.strings() ?? [])
        }
        return [native.rawValue]
    }

    /// moby writes a number; podman writes the name beside it, and people write names for numbers.
    private static func errno(
        in object: JSONField, _ number: String, _ name: String
    ) throws(SeccompError) -> UInt32? {
        var field = try object.member(number)
        if field == nil { field = try object.member(name) }
        guard let field else { return nil }
        let text = try field.scalar()
        if text.isEmpty { return nil }
        guard let value = SeccompErrno.number(text) else {
            throw field.error("\"\(text)\" is no errno between 0 and 4095")
        }
        return value
    }
}

/// When a rule of moby's format counts.
private struct SeccompCondition {
    private let caps: [String]
    private let arches: [String]
    private let minKernel: KernelVersion?

    init(_ field: JSONField) throws(SeccompError) {
        caps = try field.member("caps")?.strings() ?? []
        arches = try field.member("arches")?.strings() ?? []
        guard let version = try field.member("minKernel"), try !version.string().isEmpty else {
            minKernel = nil
            return
        }
        let text = try version.string()
        let parts = text.split(separator: ".", omittingEmptySubsequences: false)
        guard parts.count == 2, let major = parts.first.flatMap({ UInt8($0) }),
            let minor = parts.last.flatMap({ UInt8($0) }), major > 0 || minor > 0
        else { throw version.error("\"\(text)\" is not a version such as 4.8") }
        minKernel = KernelVersion(Int(major), Int(minor))
    }

    /// For `includes`: everything that is named has to hold.
    func allHold(_ mask: CapabilityMask, _ native: SeccompArchitecture, _ kernel: KernelVersion) -> Bool {
        if !arches.isEmpty, !arches.contains(native.goName) { return false }
        if let minKernel, kernel < minKernel { return false }
        return caps.allSatisfy { has($0, mask) }
    }

    /// For `excludes`: one thing that holds is enough.
    func anyHolds(_ mask: CapabilityMask, _ native: SeccompArchitecture, _ kernel: KernelVersion) -> Bool {
        if arches.contains(native.goName) { return true }
        if let minKernel, kernel >= minKernel { return true }
        return caps.contains { has($0, mask) }
    }

    /// A capability that we do not know is one that the container does not have.
    private func has(_ name: String, _ mask: CapabilityMask) -> Bool {
        guard let capability = try? CapabilityMask(name: name) else { return false }
        return mask.contains(capability)
    }
}
