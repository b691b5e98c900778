internal import Glibc
internal import Sys

/// A directory of the user's that is filled by one command: absent, it is made beside its place and appears whole by a
/// rename; one that is there must be empty, and is filled as it stands. After a failure nothing is left.
struct NewDirectory: ~Copyable {
    /// As the user named it.
    let path: String
    /// What is being filled.
    let directory: OwnedFD
    private let parent: OwnedFD
    /// Final and temporary name in `parent`; nil where it was there before.
    private let names: (final: String, temporary: String)?

    private init(
        path: String, directory: consuming OwnedFD, parent: consuming OwnedFD, names: (String, String)?
    ) {
        self.path = path
        self.directory = directory
        self.parent = parent
        self.names = names
    }

    static func begin(_ path: String) throws(EngineError) -> NewDirectory {
        if let there = try empty(path) {
            let copy = try call("open directory", path) { () throws(Errno) in try there.duplicate() }
            return NewDirectory(path: path, directory: there, parent: copy, names: nil)
        }
        let (above, name) = Path.split(trimmed(path))
        let temporary = ".\(name.prefix(200)).\(Random.hex(bytes: 6))"
        let parent = try call("open directory", above) { () throws(Errno) in try Directory.open(above) }
        let directory = try call("mkdir", path) { () throws(Errno) in
            // Nobody else is to look in while it is half there: the modes inside may allow more than it will itself.
            try Directory.make(temporary, mode: 0o700, at: parent.raw)
            return try Directory.open(temporary, at: parent.raw)
        }
        return NewDirectory(path: path, directory: directory, parent: parent, names: (name, temporary))
    }

    /// Makes what was written durable and, where it is new, visible.
    consuming func finish() throws(EngineError) {
        let (directory, parent) = (directory.raw, parent.raw)
        do throws(EngineError) {
            try call("write", path) { () throws(Errno) in
                try File.syncFileSystem(directory)
                guard let names else { return }
                try File.rename(names.temporary, at: parent, to: names.final, at: parent, noReplace: true)
                try File.sync(parent)
            }
        } catch {
            abandon()
            throw error
        }
    }

    /// Removes all that was made.
    consuming func abandon() {
        if let names {
            try? Directory.removeTree(names.temporary, at: parent.raw)
            return
        }
        for entry in (try? Directory.entries(directory.raw)) ?? [] {
            try? Directory.removeTree(entry.bytes, at: directory.raw)
        }
    }

    /// The directory that is there already; nil where nothing is.
    private static func empty(_ path: String) throws(EngineError) -> OwnedFD? {
        let directory: OwnedFD
        do throws(Errno) {
            directory = try Directory.open(path)
        } catch {
            if error == .noEntry, !File.exists(path) { return nil }
            throw .system(SystemFailure("open directory", path, error))
        }
        let raw = directory.raw
        guard try call("list", path, { () throws(Errno) in try Directory.entries(raw) }).isEmpty else {
            throw .invalid("\(path) is not empty: name a directory that is empty or not there")
        }
        return directory
    }

    private static func trimmed(_ path: String) -> String {
        var result = path
        while result.utf8.count > 1, result.hasSuffix("/") { result.removeLast() }
        return result
    }
}
