internal import CLinux
internal import FoundationEssentials
internal import Glibc
internal import OCI
internal import Sys

/// Docker's `config.json` as it is changed: one entry is put in or taken out, every other byte stays. The file is
/// replaced whole; a symbolic link to it stays one.
package struct CredentialFile: Sendable {
    /// The file itself, behind all links.
    package let path: String

    private static let group = "auths"
    private static let limit = 4 << 20

    /// Makes the directory where it is missing, for its owner only.
    package init(directory: String) throws(RegistryError) {
        do throws(SystemFailure) {
            try Directory.makePath(directory, mode: 0o700)
            path = try CredentialFile.target("\(directory)/config.json")
        } catch {
            throw .configuration("\(error)")
        }
    }

    /// Notes the user and password themselves, or where `kept` says so only that a helper has some.
    package func store(_ server: String, user: String, password: String, isKept: Bool) throws(RegistryError) {
        try change { document in
            let auth = Data("\(user):\(password)".utf8).base64EncodedString()
            document.set(server, in: CredentialFile.group, isKept ? [] : [("auth", auth)])
        }
    }

    /// Takes out the entries whose key names that registry, however it is spelled.
    package func erase(_ names: (String) -> Bool) throws(RegistryError) {
        guard File.exists(path) else { return }
        try change { document in
            for key in document.keys(in: CredentialFile.group) where names(key) {
                document.remove(key, in: CredentialFile.group)
            }
        }
    }

    private func change(_ body: (inout JSONEditing) -> Void) throws(RegistryError) {
        let (parent, name) = Path.split(path)
        // Two logins at once: the second reads what the first has written.
        let lock = try attempt("lock", parent) { () throws(Errno) in try DirectoryLock(parent, mode: .exclusive) }
        let (old, status) = try attempt("read", path) { () throws(Errno) in try read() }
        var document: JSONEditing
        do throws(JSONFault) {
            document = try JSONEditing(old)
        } catch {
            throw .configuration("read \(path): \(error); it is left as it is")
        }
        body(&document)
        if document.bytes == old { return }
        try attempt("write", path) { [bytes = document.bytes] () throws(Errno) in
            try File.replace(name, in: lock.raw, with: bytes, ownerOf: status)
        }
    }

    private func read() throws(Errno) -> ([UInt8], FileStatus?) {
        do throws(Errno) {
            let file = try File.open(path, O_RDONLY | O_NOCTTY)
            return (try File.readAll(file.raw, limit: CredentialFile.limit), try File.status(file.raw))
        } catch .noEntry {
            return ([], nil)
        }
    }

    private func attempt<T: ~Copyable>(
        _ operation: String, _ subject: String, _ body: () throws(Errno) -> T
    ) throws(RegistryError) -> T {
        do throws(Errno) {
            return try body()
        } catch {
            throw .file(SystemFailure(operation, subject, error))
        }
    }

    /// Where the links at `path` lead; the directories on the way are links no more.
    private static func target(_ path: String) throws(SystemFailure) -> String {
        var path = path
        do throws(Errno) {
            for _ in 0..<40 {
                let (parent, name) = Path.split(path)
                path = "\(try realPath(parent))/\(name)"
                guard (try? File.status(path))?.kind == .link else { return path }
                let link = try File.readLink(path)
                path = link.hasPrefix("/") ? link : "\(Path.split(path).parent)/\(link)"
            }
            throw Errno(rawValue: ELOOP)
        } catch {
            throw SystemFailure("follow", path, error)
        }
    }

    private static func realPath(_ path: String) throws(Errno) -> String {
        guard let text = realpath(path, nil) else { throw Errno.current }
        defer { free(text) }
        return String(cString: text)
    }
}
