internal import Glibc
internal import OCI
internal import Sys

/// The directory of one container below the runtime's root, whose lock its holder has: nobody else changes the container
/// meanwhile. Who only looks takes no lock, since files are replaced whole.
struct ContainerDirectory: ~Copyable {
    let path: String
    private let lock: DirectoryLock

    /// Makes it. What a `create` that was killed has left under that ID is handed to `clean` first.
    init(
        making id: String, in root: String, clean: (borrowing ContainerDirectory) throws(ContainerError) -> Void
    ) throws(ContainerError) {
        path = "\(root)/\(id)"
        let path = path
        try system { () throws(SystemFailure) in try Directory.makePath(root, mode: 0o711) }
        do throws(Errno) {
            try Directory.make(path, mode: 0o711)
        } catch .exists {
            guard let left = try ContainerDirectory.free(path) else { throw .exists(id) }
            // Asked under the lock: who has made it may just be through.
            if (try? ContainerDirectory.read(path))?.isComplete == true { throw .exists(id) }
            try clean(left)
            try left.remove()
            do throws(Errno) { try Directory.make(path, mode: 0o711) } catch {
                throw error == .exists ? .exists(id) : .system(SystemFailure("make", path, error))
            }
        } catch {
            throw .system(SystemFailure("make", path, error))
        }
        let lock: DirectoryLock
        do throws(Errno) { lock = try DirectoryLock(path, mode: .exclusive) } catch .noEntry {
            // Taken for what a killed command had left, by another one of the same ID.
            throw .exists(id)
        } catch {
            throw .system(SystemFailure("lock", path, error))
        }
        // Before it was locked somebody else may have taken it, and be through by now.
        if File.exists("state.json", at: lock.raw) { throw .exists(id) }
        self.lock = lock
    }

    /// That of a container that is there, as soon as nobody else changes it.
    init(_ id: String, in root: String) throws(ContainerError) {
        path = "\(root)/\(id)"
        do throws(Errno) {
            lock = try DirectoryLock(path, mode: .exclusive)
        } catch .noEntry {
            throw .notFound(id)
        } catch {
            throw .system(SystemFailure("lock", path, error))
        }
    }

    private init(_ path: String, _ lock: consuming DirectoryLock) {
        self.path = path
        self.lock = lock
    }

    /// nil where somebody holds it.
    private static func free(_ path: String) throws(ContainerError) -> ContainerDirectory? {
        do throws(Errno) {
            guard let lock = try DirectoryLock.attempt(path, mode: .exclusive) else { return nil }
            return ContainerDirectory(path, lock)
        } catch .noEntry {
            return nil
        } catch {
            throw .system(SystemFailure("lock", path, error))
        }
    }

    /// Whether somebody is at work on it.
    static func isHeld(_ path: String) -> Bool {
        do throws(Errno) {
            return try DirectoryLock.attempt(path, mode: .shared) == nil
        } catch {
            return false
        }
    }

    /// nil before there is a state, and for what is none.
    static func read(_ path: String) throws(Errno) -> ContainerState? {
        let bytes: [UInt8]
        do throws(Errno) {
            bytes = try File.readAll("\(path)/state.json", limit: 16 << 20)
        } catch .noEntry {
            // Not yet, or not any more.
            _ = try File.status(path)
            return nil
        }
        guard let json = try? JSONValue(parsing: bytes) else { return nil }
        return ContainerState(json)
    }

    borrowing func save(_ state: ContainerState) throws(ContainerError) {
        let (path, directory) = (path, lock.raw)
        try call("write", "\(path)/state.json") { () throws(Errno) in
            // /run is gone with the power, and so is the container.
            try File.replace("state.json", in: directory, with: Array(state.json.text.utf8), durably: false)
        }
    }

    borrowing func saveConfiguration(_ text: [UInt8]) throws(ContainerError) {
        let (path, directory) = (path, lock.raw)
        try call("write", "\(path)/config.json") { () throws(Errno) in
            try File.replace("config.json", in: directory, with: text, durably: false)
        }
    }

    /// With all that is in it; the name goes last.
    consuming func remove() throws(ContainerError) {
        let path = path
        try call("remove", path) { () throws(Errno) in
            try Directory.removeTree(path)
        }
    }
}
