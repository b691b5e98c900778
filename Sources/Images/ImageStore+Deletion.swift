internal import Glibc
internal import Sys

extension ImageStore {
    /// So many are locked at once.
    private static let batch = 64

    /// Deletes what lies in `tmp/` and belongs to nobody, until there is nothing more, unless another process is at it. For a
    /// process that nobody waits for. Whatever kills it leaves the rest to the next command.
    package func deleteGarbage() throws(StoreError) {
        try StoreFormat.check(layout.root, marks)
        // What can't be deleted is tried once.
        var tried: Set<String> = []
        repeat {
            let path = "\(layout.locks)/\(StoreLocks.deletion)"
            let right = try attempt("lock", path) { () throws(Errno) in
                try FileLock.attempt(path, in: File.workingDirectory)
            }
            guard right != nil else { return }
            while try deleteBatch(&tried) {}
            _ = consume right
            // Whoever found the lock taken a moment ago has left its garbage to us.
        } while try attempt("list", layout.staging) { () throws(Errno) in try hasGarbage(but: tried) }
    }

    private func deleteBatch(_ tried: inout Set<String>) throws(StoreError) -> Bool {
        let garbage = Garbage(ImageStore(dataRoot: layout.root, marks: marks))
        let before = tried
        try locked(StoreLocks.staging) { () throws(StoreError) in
            try attempt("clean", layout.staging) { () throws(Errno) in
                try collect(into: garbage, most: ImageStore.batch) { !before.contains($0) }
            }
        }
        tried.formUnion(garbage.paths)
        if garbage.paths.isEmpty { return false }
        do throws(StoreError) { try finish(garbage) } catch { return true }
        return true
    }

    private func hasGarbage(but tried: Set<String>) throws(Errno) -> Bool {
        for entry in try Directory.entries(layout.staging) where isStaging(entry.name) {
            let path = "\(layout.staging)/\(entry.name)"
            if tried.contains(path) { continue }
            do throws(Errno) {
                if try DirectoryLock.attempt(path, mode: .exclusive) != nil { return true }
            } catch {
                // A file, or gone meanwhile.
                continue
            }
        }
        return false
    }

    /// Has another process delete what is left. One that is at it will find it; where none can be started, it is done here.
    func handOverGarbage() {
        let path = "\(layout.locks)/\(StoreLocks.deletion)"
        do throws(Errno) {
            if try FileLock.attempt(path, in: File.workingDirectory, mode: .shared) == nil { return }
        } catch {
            // Whoever comes to delete tells that better.
        }
        if handOver?() != true { try? deleteGarbage() }
    }

    /// Waits for a deletion that is under way, and ends one that was cut short, where there is little room left: what was
    /// removed has to be gone before something large comes.
    package func awaitRoom() {
        guard isNearlyFull else { return }
        try? clean()
        let path = "\(layout.locks)/\(StoreLocks.deletion)"
        if File.exists(path) { _ = try? FileLock(path, in: File.workingDirectory, mode: .shared) }
        for entry in (try? Directory.entries(layout.staging)) ?? [] where entry.name.hasPrefix("removed-") {
            // Its own monitor deletes what a container has left.
            _ = try? DirectoryLock("\(layout.staging)/\(entry.name)", mode: .shared)
        }
    }

    /// A caller who removes something then wants the room.
    package var isNearlyFull: Bool { (try? FileSystemRoom(layout.root).isLow) ?? true }
}
