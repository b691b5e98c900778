internal import Glibc
internal import Sys

/// Where a copy goes: into an open directory, under a name. docker's rules for what is there and what is not.
struct CopyPlace {
    let directory: FileView.Handle
    let name: String

    /// - Parameters:
    ///   - isDirectory: whether the source is one.
    ///   - base: the source's name; `.` for what is in it.
    init(
        _ place: FileView.Place, asked: CopyPath, isDirectory: Bool, base: String
    ) throws(EngineError) {
        switch place {
        case .directory(let directory):
            self.directory = directory
            name = base
        case .file(let parent, let name):
            if isDirectory { throw .invalid("cannot copy directory") }
            if asked.assertsDirectory { throw .invalid("not a directory") }
            directory = parent
            self.name = name
        case .missing(let parent, let name):
            if asked.assertsDirectory, !isDirectory { throw .invalid("no such directory") }
            directory = parent
            self.name = name
        }
    }
}

/// What is copied: an open item, and how it is called.
struct CopyItem {
    let handle: FileView.Handle
    let status: FileStatus
    /// In a tar of its own.
    let name: String
    /// Under a new directory: a link that was followed keeps its own name there.
    let base: String

    init(_ path: CopyPath, in view: FileView, follows: Bool) throws(Errno) {
        handle = try view.item(path, follows: follows)
        status = try File.status(handle.raw)
        base = path.base
        let isFollowed = follows && !path.assertsDirectory && path.text != "/"
        let target = isFollowed ? try? File.readLink("/proc/self/fd/\(handle.raw)") : nil
        name = target.map { Path.split($0).name } ?? path.base
    }
}
