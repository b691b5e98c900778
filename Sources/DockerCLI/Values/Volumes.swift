package import Engine
internal import OCI

/// `-v [SOURCE:]TARGET[:OPTIONS]`. The disk is not looked at; a source that starts with `.` is made absolute by the
/// engine, which knows the working directory.
package enum Volumes {
    package static func parse(_ text: String) throws(ValueError) -> MountRequest {
        guard !text.isEmpty else { throw .plain("invalid empty volume spec") }
        let specification = "invalid volume specification: '\(Names.printable(text))'"
        guard !text.hasControlCharacters else { throw .plain("\(specification): control character") }
        let parts = text.pieces(":")
        guard parts.count <= 3, !parts[0].isEmpty else { throw .plain(specification) }
        if parts.count == 1 { return MountRequest(kind: .anonymousVolume, target: try target(parts[0], specification)) }
        // A mode alone behind a path is a mistake for TARGET:MODE, which volumes do not have.
        if parts.count == 2, (try? Options(parts[1])) != nil { throw .plain(specification) }
        let options = try Options(parts.count == 3 ? parts[2] : "")
        var request = MountRequest(
            kind: try kind(parts[0], specification), target: try target(parts[1], specification, parts[0]))
        if case .volume = request.kind, options.propagation != nil {
            throw .plain(
                "\(specification): invalid mount config for type \"volume\": field BindOptions must not be specified")
        }
        request.readOnly = options.readOnly
        request.propagation = options.propagation
        request.copyUp = !options.noCopy
        return request
    }

    private static func kind(_ source: String, _ specification: String) throws(ValueError) -> MountRequest.Kind {
        if source.hasPrefix("/") { return .bind(source: source.cleanedPath, create: true) }
        // docker takes `.`, `..`, `./x`, `../x`, also `.x`, for a path.
        if source.hasPrefix(".") { return .bind(source: source, create: true) }
        try checkVolumeName(source)
        return .volume(name: source)
    }

    package static func checkVolumeName(_ name: String) throws(ValueError) {
        if name.utf8.count == 1 {
            throw .plain(
                "create \(name): volume name is too short, names should be at least two alphanumeric characters")
        }
        guard ResourceName.isValid(name) else {
            throw .plain(
                "create \(name): \(GoValue.quoted(name)) includes invalid characters for a local volume name, only "
                    + "\"\(ResourceName.pattern)\" are allowed. If you intended to pass a host directory, use "
                    + "absolute path")
        }
    }

    private static func target(
        _ text: String, _ specification: String, _ source: String = ""
    ) throws(ValueError) -> String {
        let type = ["/", "."].contains { source.hasPrefix($0) } ? "bind" : "volume"
        let prefix = "\(specification): invalid mount config for type \"\(type)\": "
        guard !text.isEmpty else { throw .plain(specification) }
        return try checkedTarget(text, prefix)
    }

    /// Where a mount may go: an absolute path that is not the root.
    package static func checkedTarget(_ text: String, _ prefix: String) throws(ValueError) -> String {
        guard text.hasPrefix("/") else {
            throw .plain("\(prefix)invalid mount path: '\(text)' mount path must be absolute")
        }
        let path = text.cleanedPath
        guard path != "/" else { throw .plain("\(prefix)invalid specification: destination can't be '/'") }
        return path
    }

    package static let propagations: Set<String> = ["private", "rprivate", "shared", "rshared", "slave", "rslave"]

    /// What stands behind the last colon; of each group one word at most.
    private struct Options {
        var readOnly = false
        var propagation: String?
        var noCopy = false

        init(_ text: String) throws(ValueError) {
            var groups: Set<String> = []
            for word in text.isEmpty ? [] : text.pieces(",") {
                let group: String
                switch word {
                case "ro", "rw":
                    readOnly = word == "ro"
                    group = "access"
                // No SELinux: there is no label to change.
                case "z", "Z": group = "label"
                case "nocopy":
                    noCopy = true
                    group = "copy"
                case "consistent", "cached", "delegated", "default": group = "consistency"
                case _ where Volumes.propagations.contains(word):
                    propagation = word
                    group = "propagation"
                default: throw .plain("invalid mode: \(text)")
                }
                guard groups.insert(group).inserted else { throw .plain("invalid mode: \(text)") }
            }
        }
    }
}

/// `--tmpfs TARGET[:OPTIONS]`.
package enum Tmpfs {
    private static let flags: Set<String> = [
        "ro", "rw", "suid", "nosuid", "dev", "nodev", "exec", "noexec", "sync", "async", "dirsync", "atime", "noatime",
        "diratime", "nodiratime", "relatime", "norelatime", "strictatime", "nostrictatime", "mand", "nomand",
        "defaults",
        "remount", "bind", "rbind",
    ]
    private static let keys: Set<String> = ["size", "mode", "uid", "gid", "nr_inodes", "nr_blocks", "mpol"]

    package static func parse(_ text: String) throws(ValueError) -> MountRequest {
        let (path, options) = text.cut(":")
        guard !text.hasControlCharacters else {
            throw .plain("invalid tmpfs: control character in \(GoValue.quoted(text))")
        }
        let target = try Volumes.checkedTarget(path, "invalid mount config for type \"tmpfs\": ")
        let words = (options ?? "").isEmpty ? [] : (options ?? "").pieces(",")
        for word in words {
            let (key, value) = word.cut("=")
            let known = value == nil ? flags.contains(key) || Volumes.propagations.contains(key) : keys.contains(key)
            guard known else { throw .plain("invalid tmpfs option \(GoValue.quoted(word))") }
        }
        var request = MountRequest(kind: .tmpfs(options: words), target: target)
        request.readOnly = words.last { $0 == "ro" || $0 == "rw" } == "ro"
        return request
    }
}
