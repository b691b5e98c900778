internal import CLinux
internal import Images
internal import OCI
internal import Sys

/// Fetches one blob into `tmp/blobs/DIGEST.part`, or goes on with what an earlier pull left there.
struct BlobFetch {
    let blob: Blob
    let directory: String
    /// Shared with other workers; nil where this one is alone.
    let slots: DownloadSlots?
    let interruption: Interruption
    let progress: Progress

    /// Removes the file of a blob that has served.
    static func drop(_ layer: SourceLayer, in directory: String) {
        guard case .remote = layer.content, let digest = layer.digest else { return }
        let path = "\(directory)/\(StoreLayout.fetchedName(digest))"
        guard File.exists(path) else { return }
        // Whoever holds it fetches it for another image, and removes it in the end.
        guard let lock = try? FileLock.attempt(path, in: File.workingDirectory) else { return }
        try? File.unlink(path)
        _ = consume lock
    }

    /// Until the blob is complete or has failed.
    func run() {
        do throws(WorkerError) {
            switch blob.layer.content {
            case .remote(let fetch):
                try download(fetch, anew: false)
            case .local(let bytes):
                blob.state.update {
                    $0.file = bytes
                    $0.available = bytes.length
                }
            }
            progress.verifying()
            blob.state.update { $0.isComplete = true }
        } catch {
            blob.fail(error)
        }
    }

    /// Fetches all of the blob once more, when bytes of an earlier pull were wrong. The calling thread is one that would
    /// otherwise read the blob, so nothing is gained by reading it meanwhile.
    func again() throws(WorkerError) {
        guard case .remote(let fetch) = blob.layer.content else { return }
        try download(fetch, anew: true)
        progress.verifying()
        blob.state.update { $0.isComplete = true }
    }

    private func download(_ fetch: @escaping SourceLayer.Fetch, anew: Bool) throws(WorkerError) {
        guard let digest = blob.layer.digest else {
            throw .blob(shown: blob.layer.shown, reason: "it has no digest")
        }
        let path = "\(directory)/\(StoreLayout.fetchedName(digest))"
        let part = try lock(path)
        let fd = part.raw
        let file = try system("open", path) { () throws(Errno) in try File.open(path, O_RDONLY | O_NOFOLLOW) }
        let bytes = LocalBytes(file, offset: 0, length: blob.layer.size, name: path)
        var kept = try system("stat", path) { () throws(Errno) in try File.status(fd).size }
        if anew || kept > blob.layer.size {
            try system("truncate", path) { () throws(Errno) in try File.truncate(fd, to: 0) }
            kept = 0
        }
        blob.state.update { [kept] in
            $0.file = bytes
            $0.available = kept
            $0.isResumed = kept > 0
        }
        let (blob, progress) = (blob, progress)
        if kept < blob.layer.size {
            let work = { [kept] () throws(WorkerError) in
                try fetch(fd, kept) { total in
                    if total < blob.state.read(\.available) { blob.beginAnew() }
                    blob.state.update { $0.available = total }
                    progress.fetching(total)
                }
            }
            // Behind the lock of the blob: who has the right to fetch waits for nobody.
            if let slots { try slots.holding(interruption, work) } else { try work() }
        }
        _ = consume part
    }

    /// The lock is on the file itself: it tells other pulls, and `clean()`, that somebody fetches it.
    private func lock(_ path: String) throws(WorkerError) -> FileLock {
        while true {
            try interruption.check()
            let lock = try system("lock", path) { () throws(Errno) in
                try FileLock.attempt(path, in: File.workingDirectory)
            }
            if let lock { return lock }
            // A pull of another image fetches the same blob: its file is complete soon, or free when it died.
            Pause.milliseconds(50)
        }
    }
}
