internal import FoundationEssentials
internal import Glibc
internal import Images
internal import Sys
internal import Union

/// What is known of a container's files that were copied together in its `merged` directory (driver `copyup`). It lies
/// beside the layer from when the copy is whole until all that was changed in it is in the layer, so that a kill, a
/// reboot or a full disk loses none of it.
struct CopyMark: Codable, Sendable {
    /// `Materialised`.
    var seconds: Int64
    var nanoseconds: Int64
    var skipped: [String]
    /// A user asked for it by `mount`: it stays when the container ends.
    var isMounted: Bool

    var stamp: FileTime { FileTime(seconds: seconds, nanoseconds: nanoseconds) }
}

extension Engine {
    /// nil: the container has no copy.
    func copyMark(of id: String) throws(EngineError) -> CopyMark? {
        let path = containers.copyMark(id)
        let bytes: [UInt8]
        do throws(Errno) {
            bytes = try File.readAll(path, limit: 1 << 24)
        } catch .noEntry {
            return nil
        } catch {
            throw .system(SystemFailure("read", path, error))
        }
        guard let mark = try? JSONDecoder().decode(CopyMark.self, from: Data(bytes)) else {
            throw .damaged(
                path: path, reason: "it is no mark of a copy",
                remedy: "the container's files are in \(containers.merged(id)); copy out what you need, and rm it")
        }
        return mark
    }

    /// Copies the container's files together; somebody who holds its entry calls.
    func makeCopy(of record: ContainerRecord, isMounted: Bool = false) throws(EngineError) {
        let id = record.id
        let image = try image(of: record)
        let merged = containers.merged(id)
        try lockedCopy(of: id) { () throws(EngineError) in
            if try copyMark(of: id) != nil { throw .conflict("container \(id) has a copy of its files already") }
            // One that was never finished.
            try call("remove", merged) { () throws(Errno) in
                try Directory.removeTree(merged)
                try Directory.make(merged, mode: 0o700)
            }
            let copy = try withUnion(of: record, image) { tree throws(Errno) in
                let target = try Directory.open(merged)
                return try tree.materialise(into: target.raw)
            }
            try write(
                CopyMark(
                    seconds: copy.stamp.seconds, nanoseconds: copy.stamp.nanoseconds, skipped: copy.skipped,
                    isMounted: isMounted), record)
        }
    }

    /// Brings what was changed in the copy, if there is one, into the container's layer. The copy then goes unless somebody
    /// uses it: the user who mounted it, or the container. `isOurs`: it is the caller who serves that, and it has ended.
    func settleCopy(of id: String, isOurs: Bool) throws(EngineError) {
        guard File.exists(containers.copyMark(id)) else { return }
        let record = try containers.load(id)
        let image = try image(of: record)
        try lockedCopy(of: id) { () throws(EngineError) in
            guard let mark = try copyMark(of: id) else { return }
            let merged = containers.merged(id)
            let isEmulated = isEmulated
            try withUnion(of: record, image) { tree throws(Errno) in
                let changed = try Directory.open(merged)
                // Who is no more than the owner reads only what the owner may.
                if isEmulated { try Directory.grantOwner(changed.raw) }
                try tree.adopt(changed.raw, since: mark.stamp, skipped: mark.skipped)
            }
            if mark.isMounted || (!isOurs && live.isServed(id)) { return }
            try dropCopy(of: id)
        }
    }

    /// Lets the container's copy go where nobody else uses it.
    func unmountCopy(of record: ContainerRecord) throws(EngineError) {
        try lockedCopy(of: record.id) { () throws(EngineError) in
            guard var mark = try copyMark(of: record.id), mark.isMounted else { return }
            mark.isMounted = false
            try write(mark, record)
        }
        try settleCopy(of: record.id, isOurs: false)
    }

    /// Keeps the copy for a user; false where there is none.
    func keepCopy(of record: ContainerRecord) throws(EngineError) -> Bool {
        try lockedCopy(of: record.id) { () throws(EngineError) in
            guard var mark = try copyMark(of: record.id) else { return false }
            mark.isMounted = true
            try write(mark, record)
            return true
        }
    }

    private func write(_ mark: CopyMark, _ record: ContainerRecord) throws(EngineError) {
        let path = containers.copyMark(record.id)
        let bytes: Data
        do {
            bytes = try JSONEncoder().encode(mark)
        } catch {
            throw .invalid("cannot write \(path): \(error)")
        }
        try system { () throws(SystemFailure) in
            try File.replace(path, with: Array(bytes), durably: !record.autoRemove)
        }
    }

    /// The mark first, and for good: with it, all that is not in the copy any more would count as deleted.
    private func dropCopy(of id: String) throws(EngineError) {
        let (layer, merged) = (containers.layer(id), containers.merged(id))
        try call("remove", merged) { () throws(Errno) in
            try File.unlink(containers.copyMark(id))
            try Directory.sync(layer)
            try Directory.removeTree(merged)
            try Directory.make(merged, mode: 0o700)
        }
    }

    private func lockedCopy<T>(of id: String, _ body: () throws(EngineError) -> T) throws(EngineError) -> T {
        let layer = containers.layer(id)
        let lock = try call("lock", layer) { () throws(Errno) in try DirectoryLock(layer, mode: .exclusive) }
        let result = try body()
        _ = consume lock
        return result
    }

    /// The container's own layer over its image's, as a tree.
    private func withUnion<T>(
        of record: ContainerRecord, _ image: Image, _ body: (UnionTree) throws(Errno) -> T
    ) throws(EngineError) -> T {
        try containers.renewWork(record.id)
        return try union(
            of: image.layers.reversed().map(\.diff), upper: containers.upper(record.id),
            work: containers.work(record.id), durable: !record.autoRemove, record.shortID, body)
    }

    /// `lowers`, the topmost first, and an upper layer as one tree.
    func union<T>(
        of lowers: [String], upper: String, work: String, durable: Bool, _ name: String,
        _ body: (UnionTree) throws(Errno) -> T
    ) throws(EngineError) -> T {
        return try call("copy the files of", name) { () throws(Errno) in
            let opened = try OpenDirectories(lowers + [upper, work])
            let numbers = opened.numbers
            let tree = try UnionTree(
                lowers: Array(numbers.dropLast(2)), upper: numbers[numbers.count - 2], work: numbers[numbers.count - 1],
                marks: marks, durable: durable)
            return try body(tree)
        }
    }
}

/// Directories that are open together.
final class OpenDirectories {
    private(set) var numbers: [Int32] = []

    init(_ paths: [String]) throws(Errno) {
        for path in paths { numbers.append(try Directory.open(path).release()) }
    }

    deinit { for number in numbers { _ = close(number) } }
}
