internal import FoundationEssentials
package import OCI

/// Profiles of `--security-opt seccomp=FILE`: moby's format, in which rules depend on capabilities, architecture and
/// kernel, podman's additions to it, and the runtime spec's own (docs.docker.com/engine/security/seccomp).
package enum SeccompProfileFile {
    /// - Returns: nil for a profile without default action and rules, which docker takes for "no seccomp".
    package static func parse(
        _ bytes: [UInt8], capabilities: CapabilityMask, architecture: SeccompArchitecture = .native,
        kernel: KernelVersion = .running
    ) throws(SeccompError) -> Spec.Seccomp? {
        let file = try decode(bytes)
        if file.defaultAction == nil, file.syscalls?.isEmpty ?? true { return nil }
        guard let defaultAction = file.defaultAction else {
            throw .profile(field: "defaultAction", reason: "it is missing")
        }
        var profile = Spec.Seccomp(defaultAction: defaultAction)
        profile.defaultErrnoRet = try errno(file.defaultErrnoRet, file.defaultErrno, field: "defaultErrnoRet")
        profile.architectures = try architectures(of: file, architecture)
        profile.flags = file.flags
        if let path = file.listenerPath, !path.isEmpty {
            throw .unsupported("listenerPath: no agent is told of calls")
        }
        var rules: [Spec.Seccomp.Rule] = []
        for (index, entry) in (file.syscalls ?? []).enumerated() {
            let field = "syscalls[\(index)]"
            let names = try names(of: entry, field: field)
            let includes = try entry.includes?.condition(field: "\(field).includes")
            let excludes = try entry.excludes?.condition(field: "\(field).excludes")
            if let excludes, excludes.excludes(capabilities, architecture, kernel) { continue }
            if let includes, !includes.includes(capabilities, architecture, kernel) { continue }
            guard let action = entry.action else { throw .profile(field: "\(field).action", reason: "it is missing") }
            var rule = Spec.Seccomp.Rule(names: names, action: action)
            rule.errnoRet = try errno(entry.errnoRet, entry.errno, field: "\(field).errnoRet")
            rule.args = entry.args?.map { .init(index: $0.index, value: $0.value, valueTwo: $0.valueTwo, op: $0.op) }
            rules.append(rule)
        }
        profile.syscalls = rules
        // What the compiler would refuse is refused here, where the file's name is known.
        _ = try SeccompCompiler.instructions(profile, native: architecture)
        return profile
    }

    private static func decode(_ bytes: [UInt8]) throws(SeccompError) -> File {
        do {
            return try JSONDecoder().decode(File.self, from: Data(bytes))
        } catch let error as DecodingError {
            throw SeccompError(error)
        } catch {
            throw .profile(field: "file", reason: "\(error)")
        }
    }

    private static func names(of entry: Entry, field: String) throws(SeccompError) -> [String] {
        let names = entry.names ?? []
        guard let name = entry.name, !name.isEmpty else {
            if names.isEmpty { throw .profile(field: "\(field).names", reason: "no system call is named") }
            return names
        }
        if !names.isEmpty {
            throw .profile(field: "\(field).name", reason: "both \"name\" and \"names\" are given, use one of them")
        }
        return [name]
    }

    private static func architectures(
        of file: File, _ native: SeccompArchitecture
    ) throws(SeccompError) -> [String]? {
        guard let map = file.archMap, !map.isEmpty else { return file.architectures }
        if !(file.architectures ?? []).isEmpty {
            throw .profile(
                field: "archMap", reason: "both \"architectures\" and \"archMap\" are given, use one of them")
        }
        guard let entry = map.first(where: { $0.architecture == native.rawValue }) else { return [native.rawValue] }
        return [entry.architecture] + (entry.subArchitectures ?? [])
    }

    /// moby writes a number; podman writes the name beside it, and people write names for numbers.
    private static func errno(
        _ number: ErrnoValue?, _ name: String?, field: String
    ) throws(SeccompError) -> UInt32? {
        switch number {
        case .number(let value):
            if value > 4095 { throw .errnoValue(String(value), field: field) }
            return UInt32(value)
        case .name(let name): return try SeccompErrno.number(name, field: field)
        case nil:
            guard let name, !name.isEmpty else { return nil }
            return try SeccompErrno.number(name, field: field)
        }
    }

    private struct File: Decodable {
        var defaultAction: String?
        var defaultErrnoRet: ErrnoValue?
        var defaultErrno: String?
        var architectures: [String]?
        var archMap: [ArchitectureEntry]?
        var flags: [String]?
        var listenerPath: String?
        var syscalls: [Entry]?
    }

    private struct ArchitectureEntry: Decodable {
        var architecture: String
        var subArchitectures: [String]?
    }

    private struct Entry: Decodable {
        var name: String?
        var names: [String]?
        var action: String?
        var errnoRet: ErrnoValue?
        var errno: String?
        var args: [Argument]?
        var includes: Filter?
        var excludes: Filter?
    }

    private struct Argument: Decodable {
        var index: UInt32
        var value: UInt64
        var valueTwo: UInt64?
        var op: String
    }

    private struct Filter: Decodable {
        var caps: [String]?
        var arches: [String]?
        var minKernel: String?

        func condition(field: String) throws(SeccompError) -> Condition {
            var version: KernelVersion?
            if let text = minKernel, !text.isEmpty {
                let parts = text.split(separator: ".", omittingEmptySubsequences: false)
                guard parts.count == 2, let major = parts.first.flatMap({ UInt8($0) }),
                    let minor = parts.last.flatMap({ UInt8($0) }), major > 0 || minor > 0
                else {
                    throw .profile(field: "\(field).minKernel", reason: "\"\(text)\" is not a version such as 4.8")
                }
                version = KernelVersion(Int(major), Int(minor))
            }
            return Condition(caps: caps ?? [], arches: arches ?? [], minKernel: version)
        }
    }

    private struct Condition {
        let caps: [String]
        let arches: [String]
        let minKernel: KernelVersion?

        /// All that is named has to hold.
        func includes(_ mask: CapabilityMask, _ native: SeccompArchitecture, _ kernel: KernelVersion) -> Bool {
            if !arches.isEmpty, !arches.contains(native.goName) { return false }
            if let minKernel, kernel < minKernel { return false }
            return caps.allSatisfy { has($0, mask) }
        }

        /// One that holds is enough.
        func excludes(_ mask: CapabilityMask, _ native: SeccompArchitecture, _ kernel: KernelVersion) -> Bool {
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

    private enum ErrnoValue: Decodable {
        case number(UInt64)
        case name(String)

        init(from decoder: any Decoder) throws {
            let container = try decoder.singleValueContainer()
            if let number = try? container.decode(UInt64.self) {
                self = .number(number)
            } else {
                self = .name(try container.decode(String.self))
            }
        }
    }
}

extension SeccompError {
    /// With the field's path, or with line and column where the text is no JSON at all.
    fileprivate init(_ error: DecodingError) {
        func path(_ context: DecodingError.Context) -> String {
            var text = ""
            for key in context.codingPath {
                if let index = key.intValue {
                    text += "[\(index)]"
                } else {
                    text += (text.isEmpty ? "" : ".") + key.stringValue
                }
            }
            return text.isEmpty ? "file" : text
        }
        switch error {
        case .keyNotFound(let key, let context):
            let parent = path(context)
            let field = parent == "file" ? key.stringValue : "\(parent).\(key.stringValue)"
            self = .profile(field: field, reason: "it is missing")
        case .typeMismatch(_, let context), .valueNotFound(_, let context):
            self = .profile(field: path(context), reason: context.debugDescription)
        case .dataCorrupted(let context):
            let cause = context.underlyingError.map { "\($0)" } ?? context.debugDescription
            self = .profile(field: path(context), reason: cause)
        @unknown default:
            self = .profile(field: "file", reason: "\(error)")
        }
    }
}
