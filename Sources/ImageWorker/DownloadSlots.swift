internal import CLinux
internal import Glibc
internal import Synchronization
internal import Sys

/// The right to fetch a blob, which the workers of one command share: locks of files that they were started with. Each is
/// opened anew, since a lock belongs to whoever opened the file (flock(2)).
final class DownloadSlots: Sendable {
    private let files: [OwnedDescriptor]
    /// What other threads of this process hold: the kernel would give it to us as well.
    private let taken = Mutex<Set<Int>>([])

    init(_ count: Int) throws(WorkerError) {
        var files: [OwnedDescriptor] = []
        for number in 0..<count {
            let path = "/proc/self/fd/\(3 + number)"
            files.append(
                try system("open", path) { () throws(Errno) in OwnedDescriptor(try File.open(path, O_RDONLY)) })
        }
        self.files = files
    }

    var descriptors: [Int32] { files.map(\.raw) }

    /// Calls `body` while it holds one; waits for it before.
    func holding(_ interruption: Interruption, _ body: () throws(WorkerError) -> Void) throws(WorkerError) {
        while true {
            try interruption.check()
            if let slot = try take() {
                defer { release(slot) }
                return try body()
            }
            Pause.milliseconds(10)
        }
    }

    private func take() throws(WorkerError) -> Int? {
        for slot in files.indices where taken.withLock({ $0.insert(slot).inserted }) {
            let fd = files[slot].raw
            do throws(Errno) {
                try check { flock(fd, LOCK_EX | LOCK_NB) }
                return slot
            } catch {
                _ = taken.withLock { $0.remove(slot) }
                if error != .again { throw .system(SystemFailure("lock", "a right to fetch", error)) }
            }
        }
        return nil
    }

    private func release(_ slot: Int) {
        flock(files[slot].raw, LOCK_UN)
        _ = taken.withLock { $0.remove(slot) }
    }
}
