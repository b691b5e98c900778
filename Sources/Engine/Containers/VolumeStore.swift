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
            try Directory.makePath("\(root)/\(name)", mode: 0o701)
            try Directory.makePath(data(name), mode: 0o755)
        }
    }

    static func anonymousName() -> String { Random.hex(bytes: 32) }

    func remove(_ name: String) throws(EngineError) {
        try call("remove", "\(root)/\(name)") { () throws(Errno) in try Directory.removeTree("\(root)/\(name)") }
    }

    static func check(_ name: String) throws(EngineError) {
        let letters = name.utf8.enumerated().allSatisfy { index, byte in
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"):
                true
            case UInt8(ascii: "_"), UInt8(ascii: "."), UInt8(ascii: "-"): index > 0
            default: false
            }
        }
        guard letters, name.utf8.count > 1, name.utf8.count <= 255 else {
            throw .invalid(
                "create \(name): \"\(name)\" includes invalid characters for a local volume name, only "
                    + "\"[a-zA-Z0-9][a-zA-Z0-9_.-]\" are allowed. If you intended to pass a host directory, use "
                    + "absolute path")
        }
    }
}
