internal import Glibc
internal import Images
internal import Sys

extension Engine {
    /// Writes all files of a container, running or not, as a tar to `output`, which is borrowed: the image's and what the
    /// container changed, without what is mounted in it.
    package func export(_ name: String, to output: Int32) throws(EngineError) {
        let record = try container(named: name)
        _ = try withRoot(of: record, .image) { root throws(EngineError) in
            try Worker.transfer(
                TransferRequest(source: .contents, target: .tar, parent: getpid()), rootless, source: root,
                target: output)
        }
        note("export", record)
    }

    /// As `export(_:to:)`, into the file `path`: whole and durable, or as it was.
    package func export(_ name: String, toFile path: String) throws(EngineError) {
        let (parent, base) = Path.split(path)
        if (try? File.status(path, follow: true))?.isDirectory ?? false {
            throw .invalid("failed to export container: cannot write to a directory")
        }
        guard let directory = try? Directory.open(parent) else {
            throw .invalid("failed to export container: invalid output path: stat \(parent): no such file or directory")
        }
        let temporary = ".\(base.prefix(200)).\(Random.hex(bytes: 6))"
        do throws(EngineError) {
            let file = try call("create", path) { () throws(Errno) in
                try File.open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, mode: 0o600, at: directory.raw)
            }
            try export(name, to: file.raw)
            try finish(file, temporary, base, directory.raw, path)
        } catch {
            try? File.unlink(temporary, at: directory.raw)
            throw error
        }
    }

    private func finish(
        _ file: consuming OwnedFD, _ temporary: String, _ base: String, _ directory: Int32, _ path: String
    ) throws(EngineError) {
        do throws(Errno) {
            try File.sync(file.raw)
            try file.close()
            try File.rename(temporary, at: directory, to: base, at: directory)
            try File.sync(directory)
        } catch {
            throw .system(SystemFailure("write", path, error))
        }
    }
}
