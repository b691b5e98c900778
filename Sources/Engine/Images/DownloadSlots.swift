internal import Sys

/// As many nameless files as blobs may be fetched at once by all workers of a command. Who holds the lock of one may fetch;
/// the kernel gives it back when a worker dies.
struct DownloadSlots {
    private let files: [OwnedDescriptor]

    var descriptors: [Int32] { files.map(\.raw) }

    init(_ count: Int) throws(EngineError) {
        var files: [OwnedDescriptor] = []
        for _ in 0..<count {
            files.append(
                try call("make", "a lock for downloads") { () throws(Errno) in
                    OwnedDescriptor(try MemoryFile.anonymous("runimg-download"))
                })
        }
        self.files = files
    }
}
