package import Engine
internal import OCI

/// `--mount type=bind,src=…,dst=…[,readonly]…`.
package enum Mounts {
    package static func parse(_ text: String) throws(ValueError) -> MountRequest {
        var draft = Draft()
        for field in try CommaSeparated.fields(text) { try draft.read(field) }
        guard !text.hasControlCharacters else { throw .invalid("control character in the specification") }
        return try draft.finish()
    }

    private struct Draft {
        var type = "volume"
        var source = ""
        var target = ""
        var readOnly = false
        var propagation: String?
        var recursive: String?
        var noCopy = false
        var tmpfsOptions: [String] = []
        var usedFamilies: Set<String> = []
        var driver: String?
        var planned: String?

        mutating func read(_ field: String) throws(ValueError) {
            let (name, value) = field.cut("=")
            let key = name.lowercased()
            for family in ["bind-", "volume-", "tmpfs-", "image-"] where key.hasPrefix(family) {
                usedFamilies.insert(family)
            }
            guard let value else { return try readSwitch(key, field) }
            switch key {
            case "type": type = value.lowercased()
            case "source", "src": source = value
            case "target", "dst", "destination": target = value
            case "readonly", "ro": readOnly = try bool(value, key)
            case "consistency": break
            case "bind-propagation": propagation = value.lowercased()
            case "bind-nonrecursive": recursive = try bool(value, key) ? "disabled" : recursive
            case "bind-recursive": recursive = try recursiveMode(value)
            case "volume-nocopy": noCopy = try bool(value, key)
            case "volume-driver": driver = value
            case "volume-label", "volume-opt", "volume-subpath", "image-subpath": planned = planned ?? key
            case "tmpfs-size": tmpfsOptions.append("size=\(try size(value))")
            case "tmpfs-mode": tmpfsOptions.append("mode=\(try mode(value))")
            default: throw .invalid("unexpected key '\(key)' in '\(field)'")
            }
        }

        private mutating func readSwitch(_ key: String, _ field: String) throws(ValueError) {
            switch key {
            case "readonly", "ro": readOnly = true
            case "volume-nocopy": noCopy = true
            case "bind-nonrecursive": recursive = "disabled"
            default: throw .invalid("invalid field '\(field)' must be a key=value pair")
            }
        }

        private func bool(_ text: String, _ key: String) throws(ValueError) -> Bool {
            guard let value = try? GoValue.bool(text) else { throw .invalid("invalid value for \(key): \(text)") }
            return value
        }

        private func size(_ text: String) throws(ValueError) -> Int64 {
            guard let value = try? Sizes.ram(text) else { throw .invalid("invalid value for tmpfs-size: \(text)") }
            return value
        }

        private func mode(_ text: String) throws(ValueError) -> String {
            guard let value = UInt32(text, radix: 8), value <= 0o7777, !text.hasPrefix("+") else {
                throw .invalid("invalid value for tmpfs-mode: \(text)")
            }
            return String(value, radix: 8)
        }

        private func recursiveMode(_ text: String) throws(ValueError) -> String {
            guard ["enabled", "disabled", "writable", "readonly"].contains(text) else {
                throw .invalid(
                    "invalid value for bind-recursive: \(text) "
                        + "(must be \"enabled\", \"disabled\", \"writable\", or \"readonly\")")
            }
            return text
        }

        func finish() throws(ValueError) -> MountRequest {
            guard !type.isEmpty else { throw .invalid("type is required") }
            guard !target.isEmpty else { throw .invalid("target is required") }
            for family in ["volume-", "image-", "bind-", "tmpfs-"]
            where usedFamilies.contains(family) && family != type + "-" {
                throw .invalid("cannot mix '\(family)*' options with mount type '\(type)'")
            }
            if let recursive, ["writable", "readonly"].contains(recursive), !readOnly {
                throw .invalid(
                    "option 'bind-recursive=\(recursive)' requires 'readonly' to be specified in conjunction")
            }
            if let recursive, recursive != "enabled" { throw .planned("mount option bind-recursive=\(recursive)") }
            if let planned { throw .planned("mount option \(planned)") }
            if let driver, !["", "local"].contains(driver) { throw .planned("volume driver \(driver)") }
            var request = MountRequest(kind: try kind(), target: try checkedTarget())
            request.readOnly = readOnly
            request.propagation = propagation
            request.copyUp = !noCopy
            return request
        }

        private var prefix: String { "invalid mount config for type \(GoValue.quoted(type)): " }

        private func checkedTarget() throws(ValueError) -> String { try Volumes.checkedTarget(target, prefix) }

        private func kind() throws(ValueError) -> MountRequest.Kind {
            switch type {
            case "bind": return try bind()
            case "tmpfs":
                guard source.isEmpty else { throw .plain("\(prefix)field Source must not be specified") }
                return .tmpfs(options: tmpfsOptions)
            case "volume":
                if source.isEmpty {
                    if readOnly { throw .plain("\(prefix)must not set ReadOnly mode when using anonymous volumes") }
                    return .anonymousVolume
                }
                try Volumes.checkVolumeName(source)
                return .volume(name: source)
            case "image": throw .planned("mount type image")
            case "npipe", "cluster": throw .plain("\(prefix)mount type is not available on Linux without a cluster")
            default: throw .plain("mount type unknown: \(GoValue.quoted(type))")
            }
        }

        private func bind() throws(ValueError) -> MountRequest.Kind {
            guard !source.isEmpty else { throw .plain("\(prefix)field Source must not be empty") }
            if let propagation, !Volumes.propagations.contains(propagation) {
                throw .plain("\(prefix)invalid propagation mode: \(propagation)")
            }
            let relative = source == "." || source == ".." || source.hasPrefix("./") || source.hasPrefix("../")
            guard source.hasPrefix("/") || relative else {
                throw .plain("\(prefix)invalid mount path: '\(source)' mount path must be absolute")
            }
            return .bind(source: relative ? source : source.cleanedPath, create: false)
        }
    }
}
