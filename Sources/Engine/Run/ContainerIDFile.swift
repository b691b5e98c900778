internal import Glibc
internal import Sys

/// `--cidfile`: where scripts find the container's ID.
enum ContainerIDFile {
    /// One that exists may belong to a running container.
    static func check(_ path: String?) throws(EngineError) {
        guard let path, File.exists(path) else { return }
        throw .conflict(
            "container ID file found, make sure the other container isn't running or delete \(path)")
    }

    static func write(_ id: String, to path: String?) throws(EngineError) {
        guard let path else { return }
        try call("create the container ID file", path) { () throws(Errno) in
            let file = try File.open(path, O_WRONLY | O_CREAT | O_EXCL, mode: 0o644)
            try File.write(file.raw, id)
            try file.close()
        }
    }

    /// After a start that failed; a file with another container's ID stays.
    static func remove(_ id: String, from path: String?) {
        guard let path, let bytes = try? File.readAll(path, limit: 128), bytes.elementsEqual(id.utf8) else { return }
        try? File.unlink(path)
    }
}
