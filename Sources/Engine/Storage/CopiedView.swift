internal import Glibc
internal import Rootfs
internal import Sys
internal import Union

/// Layers to be looked at where no mount shows them together.
extension Engine {
    /// Calls `body` with a mount that shows layers, the topmost first, read-only at `point`. With `copyup` it is of a copy
    /// that goes when `body` is done.
    func withView<T>(
        of layers: [String], at point: String, by driver: StorageDriver, _ name: String,
        _ body: (RootfsMount) throws(EngineError) -> T
    ) throws(EngineError) -> T {
        guard driver == .copyup else { return try body(try view(of: layers, at: point, by: driver)) }
        return try withCopy(of: layers, name) { path throws(EngineError) in
            try body(RootfsMount(step: .bind(source: path), mountPoint: point, readOnly: true))
        }
    }

    /// Calls `body` with a directory that the layers' tree was copied to. It may move it elsewhere; else it goes then.
    func withCopy<T>(
        of layers: [String], _ name: String, _ body: (String) throws(EngineError) -> T
    ) throws(EngineError) -> T {
        try withCopyPlace { place throws(EngineError) in
            let path = "\(place)/tree"
            try call("mkdir", path) { () throws(Errno) in try Directory.make(path, mode: 0o700) }
            try materialise(layers, beside: place, name) { () throws(Errno) in try Directory.open(path) }
            return try body(path)
        }
    }

    /// Copies the layers' tree into the open, empty directory `target`.
    func copy(_ layers: [String], into target: Int32, _ name: String) throws(EngineError) {
        try withCopyPlace { place throws(EngineError) in
            try materialise(layers, beside: place, name) { () throws(Errno) in try Directory.open(".", at: target) }
        }
    }

    private func materialise(
        _ layers: [String], beside place: String, _ name: String, _ target: () throws(Errno) -> OwnedFD
    ) throws(EngineError) {
        let (upper, work) = ("\(place)/upper", "\(place)/work")
        try call("copy the files of", name) { () throws(Errno) in
            for part in [upper, work] { try Directory.make(part, mode: 0o700) }
            // It is empty and hides nothing, but the root shows its owner, mode and times.
            guard let first = layers.first else { throw Errno.invalid }
            let top = try Directory.open(first)
            let empty = try Directory.open(upper)
            try Directory.copyMetadata(from: top.raw, to: empty.raw)
        }
        _ = try union(of: layers, upper: upper, work: work, durable: false, name) { tree throws(Errno) in
            let directory = try target()
            return try tree.materialise(into: directory.raw)
        }
    }

    // MARK: Places

    private static let placePrefix = "copy-"

    /// Calls `body` with a new directory, which is removed afterwards: after a kill by the next one who wants one.
    private func withCopyPlace<T>(_ body: (String) throws(EngineError) -> T) throws(EngineError) -> T {
        try system { () throws(SystemFailure) in try Directory.makePath(mountPoints, mode: 0o710) }
        removeDeadPlaces()
        let path = "\(mountPoints)/\(Engine.placePrefix)\(Random.hex(bytes: 8))"
        defer { try? Directory.removeTree(path) }
        let lock = try call("make", path) { () throws(Errno) in try Engine.heldPlace(path) }
        let result = try body(path)
        _ = consume lock
        return result
    }

    private static func heldPlace(_ path: String) throws(Errno) -> DirectoryLock {
        while true {
            try Directory.make(path, mode: 0o700)
            do throws(Errno) {
                return try DirectoryLock(path, mode: .exclusive)
            } catch {
                // Somebody found it with no holder yet.
                if error != .noEntry { throw error }
            }
        }
    }

    private func removeDeadPlaces() {
        for entry in (try? Directory.entries(mountPoints)) ?? [] where entry.name.hasPrefix(Engine.placePrefix) {
            let path = "\(mountPoints)/\(entry.name)"
            guard let lock = try? DirectoryLock.attempt(path, mode: .exclusive) else { continue }
            try? Directory.removeTree(path)
            _ = consume lock
        }
    }
}
