internal import Glibc
internal import Sys

/// A root that paths are looked up from: the host's, where links go where they like, or a container's, which no link
/// and no `..` leads out of. May be an enemy's and may change at any moment.
struct FileView: Sendable {
    private static let maximumLinks = 40

    /// Borrowed.
    let root: Int32
    private let resolve: File.Resolve

    static func container(_ root: Int32) -> FileView { FileView(root: root, resolve: [.inRoot, .noMagicLinks]) }
    static func host(_ root: Int32) -> FileView { FileView(root: root, resolve: []) }

    private init(root: Int32, resolve: File.Resolve) {
        self.root = root
        self.resolve = resolve
    }

    /// An open file that closures share.
    final class Handle: Sendable {
        private let descriptor: OwnedFD
        var raw: Int32 { descriptor.raw }
        init(_ descriptor: consuming OwnedFD) { self.descriptor = descriptor }
    }

    /// Where something shall be written.
    enum Place {
        case directory(Handle)
        /// Anything else that has the name, links resolved.
        case file(parent: Handle, name: String)
        case missing(parent: Handle, name: String)

        /// The directory itself, or the one that the name is in.
        var directory: Handle {
            switch self {
            case .directory(let handle), .file(let handle, _), .missing(let handle, _): handle
            }
        }
    }

    func open(_ path: String, _ flags: Int32) throws(Errno) -> OwnedFD {
        try File.open(path, flags, at: root, resolve: resolve)
    }

    /// What `path` names, open for its path alone: with a slash at its end a directory, and otherwise, unless `follows`,
    /// the link that it is.
    func item(_ path: CopyPath, follows: Bool) throws(Errno) -> Handle {
        if path.assertsDirectory { return Handle(try open(path.text, O_PATH | O_DIRECTORY)) }
        return Handle(try open(path.text, O_PATH | (follows ? 0 : O_NOFOLLOW)))
    }

    /// Where `path` leads, links followed to the end. Fails with ENOENT or ENOTDIR when its parent is no directory.
    func place(_ path: CopyPath) throws(Errno) -> Place {
        var text = path.text
        for _ in 0..<FileView.maximumLinks {
            if let directory = try directory(text) { return .directory(directory) }
            let (parentPath, name) = Path.split(text)
            let parent = Handle(try open(parentPath, O_RDONLY | O_DIRECTORY))
            guard let bytes = PathBytes(name.utf8) else { throw .invalid }
            let status: FileStatus
            do throws(Errno) {
                status = try File.status(bytes, at: parent.raw)
            } catch .noEntry {
                return .missing(parent: parent, name: name)
            }
            if status.kind != .link { return .file(parent: parent, name: name) }
            let target = String(decoding: try File.readLink(bytes, at: parent.raw).bytes, as: UTF8.self)
            text = target.hasPrefix("/") ? target : "\(parentPath == "/" ? "" : parentPath)/\(target)"
            while text.utf8.count > 1, text.hasSuffix("/") { text.removeLast() }
        }
        throw .loop
    }

    private func directory(_ path: String) throws(Errno) -> Handle? {
        do throws(Errno) {
            return Handle(try open(path, O_RDONLY | O_DIRECTORY))
        } catch {
            if [.noEntry, .notDirectory, .loop].contains(error) { return nil }
            throw error
        }
    }
}

/// A path of `cp` as docker takes it: absolute and cleaned by its text, while a slash or a `/.` at the end still says
/// that a directory is meant.
struct CopyPath: Sendable, Hashable {
    /// Absolute, without `.`, `..` and slashes at the end.
    let text: String
    let assertsDirectory: Bool
    /// Whether what is in the directory is meant, not the directory (`/.`).
    let meansContents: Bool

    init(_ path: String) {
        text = Path.cleaned("/" + path)
        meansContents = path.hasSuffix("/.") || path == "."
        assertsDirectory = meansContents || path.hasSuffix("/")
    }

    /// The last component; `.` for the root and for contents.
    var base: String {
        if meansContents || text == "/" { return "." }
        return Path.split(text).name
    }

    /// As messages name it.
    var shown: String {
        if text == "/" { return text }
        return text + (meansContents ? "/." : assertsDirectory ? "/" : "")
    }
}
