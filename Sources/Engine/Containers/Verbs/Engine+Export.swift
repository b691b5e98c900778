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
        try NewFile.write(path, "failed to export container") { descriptor throws(EngineError) in
            try export(name, to: descriptor)
        }
    }
}
