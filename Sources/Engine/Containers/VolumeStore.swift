internal import Glibc
internal import Sys

/// Volumes: `volumes/NAME/_data`.
struct VolumeStore: Sendable {
    let root: String

    init(dataRoot: String) { root = dataRoot + "/volumes" }

    func data(_ name: String) -> String { "\(root)/\(name)/_data" }

    /// Makes the volume if it is new.
    func make(_ name: String) throws(EngineError) {
        if File.exists(data(name)) { return }
        try system { () throws(SystemFailure) in
            try Directory.makePath("\(root)/\(name)", mode: 0o710)
            try Directory.makePath(data(name), mode: 0o755)
        }
    }

    static func anonymousName() -> String { Random.hex(bytes: 32) }

    /// `name` comes from a record, which may be damaged.
    func remove(_ name: String) throws(EngineError) {
        try VolumeStore.check(name)
        try call("remove", "\(root)/\(name)") { () throws(Errno) in try Directory.removeTree("\(root)/\(name)") }
    }

    static func check(_ name: String) throws(EngineError) {
        guard ResourceName.isValid(name) else {
            throw .invalid(
                "create \(name): \"\(name)\" includes invalid characters for a local volume name, only "
                    + "\"\(ResourceName.pattern)\" are allowed. If you intended to pass a host directory, use "
                    + "absolute path")
        }
    }
}
