internal import CLinux
internal import Glibc
internal import Sys

/// A file that is there whole and durable, or as it was.
enum NewFile {
    /// `body` fills a file beside `path`, which takes that name in the end. `failure` begins the message where there is no
    /// place for it, in docker's words.
    static func write(
        _ path: String, _ failure: String, _ body: (Int32) throws(EngineError) -> Void
    ) throws(EngineError) {
        let (parent, base) = Path.split(path)
        if (try? File.status(path, follow: true))?.isDirectory ?? false {
            throw .invalid("\(failure): cannot write to a directory")
        }
        guard let directory = try? Directory.open(parent) else {
            throw .invalid("\(failure): invalid output path: stat \(parent): no such file or directory")
        }
        let temporary = ".\(base.prefix(200)).\(Random.hex(bytes: 6))"
        do throws(EngineError) {
            let file = try call("create", path) { () throws(Errno) in
                try File.open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, mode: 0o600, at: directory.raw)
            }
            try body(file.raw)
            try finish(file, temporary, base, directory.raw, path)
        } catch {
            try? File.unlink(temporary, at: directory.raw)
            throw error
        }
    }

    private static func finish(
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
