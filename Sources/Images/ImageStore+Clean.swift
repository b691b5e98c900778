internal import CLinux
internal import Glibc
internal import Sys

extension ImageStore {
    /// Half-fetched blobs that nobody came back for are given up after this many seconds: a week.
    static let blobLifetime = 7 * 24 * 3600

    /// What the names in `tmp/` begin with.
    private static let stagingKinds = [PullArea.kind, "layer", "removed", "record"]

    /// What somebody else has put there is theirs.
    func isStaging(_ name: String) -> Bool { ImageStore.stagingKinds.contains { name.hasPrefix("\($0)-") } }

    /// Removes what dead processes left in `tmp/`. Costs one directory listing when there is nothing; never waits.
    package func clean() throws(StoreError) {
        try StoreFormat.check(layout.root, marks)
        let garbage = Garbage(self)
        do throws(Errno) {
            let name = "\(layout.locks)/\(StoreLocks.staging)"
            guard let creation = try FileLock.attempt(name, in: File.workingDirectory) else { return }
            // Each holds a descriptor; the rest is for the next.
            try collect(into: garbage, most: 256)
            _ = consume creation
        } catch .noEntry {
            return
        } catch {
            throw .system(SystemFailure("clean", layout.staging, error))
        }
        try finish(garbage)
        try cleanClaims()
    }

    /// `clean()`, where it looks as if a removal was cut short.
    package func cleanRemoved() {
        let entries = (try? Directory.entries(layout.staging)) ?? []
        if entries.contains(where: { $0.name.hasPrefix("removed-") }) { try? clean() }
    }

    /// A removal that cannot be finished now keeps its directory, which says what is left to remove.
    func finish(_ garbage: Garbage) throws(StoreError) {
        var failure: StoreError?
        garbage.isUnsynced = true
        for path in garbage.paths {
            do throws(StoreError) {
                if PullArea.isPath(path) { PullArea.waitForWorker(path) } else { try finishRemoval(path) }
            } catch {
                garbage.keep(path)
                failure = failure ?? error
            }
        }
        if let failure { throw failure }
    }

    /// Lock files of layers whose maker died; whoever waits for one finds it without a name and opens it anew.
    private func cleanClaims() throws(StoreError) {
        try attempt("clean", layout.locks) { () throws(Errno) in
            let directory = try Directory.open(layout.locks)
            for entry in try Directory.entries(directory.raw) where entry.name.hasPrefix(StoreLocks.stagePrefix) {
                guard let lock = try FileLock.attempt(entry.name, in: directory.raw) else { continue }
                try File.unlink(entry.name, at: directory.raw)
                _ = consume lock
            }
        }
    }

    /// Nobody is between making and locking an entry now, so one whose lock is free belongs to nobody.
    func collect(into garbage: Garbage, most: Int, where isWanted: (String) -> Bool = { _ in true }) throws(Errno) {
        let directory = try Directory.open(layout.staging)
        for entry in try Directory.entries(directory.raw) {
            let path = "\(layout.staging)/\(entry.name)"
            guard isStaging(entry.name) || path == layout.blobs, isWanted(path) else { continue }
            if garbage.paths.count >= most { return }
            do throws(Errno) {
                if path == layout.blobs {
                    try cleanBlobs()
                } else if entry.type == UInt8(DT_DIR) {
                    guard let lock = try DirectoryLock.attempt(path, mode: .exclusive) else { continue }
                    garbage.add(StagingDirectory(path: path, lock: lock))
                } else {
                    try File.unlink(entry.name, at: directory.raw)
                }
            } catch .noEntry {
                // Its owner was quicker.
                continue
            }
        }
    }

    private func cleanBlobs() throws(Errno) {
        let directory = try Directory.open(layout.blobs)
        let now = time(nil)
        for entry in try Directory.entries(directory.raw) {
            guard let status = try? File.status(entry.name, at: directory.raw),
                Int64(now) - status.modified.seconds > ImageStore.blobLifetime
            else { continue }
            // Nobody but a confined process makes anything here, and what it makes is not trusted.
            guard status.isRegular else {
                try Directory.removeTree(entry.bytes, at: directory.raw)
                continue
            }
            guard let lock = try FileLock.attempt(entry.name, in: directory.raw) else { continue }
            try File.unlink(entry.name, at: directory.raw)
            _ = consume lock
        }
    }
}
