internal import CLinux
internal import Glibc

extension File {
    /// The whole of a small regular file in three system calls: a read(2) of such a file that returns less than was
    /// asked for has reached its end. EFBIG beyond `limit` bytes.
    package static func readRecord(
        _ path: String, at directory: Int32 = File.workingDirectory, expecting: Int = 8192, limit: Int = 16 << 20
    ) throws(Errno) -> [UInt8] {
        let file = try open(path, O_RDONLY | O_NOCTTY | O_NONBLOCK, at: directory)
        var result: [UInt8] = []
        var room = expecting
        while true {
            let (chunk, failure) = readChunk(file.raw, count: room)
            if let failure { throw failure }
            if result.isEmpty { result = chunk } else { result.append(contentsOf: chunk) }
            if chunk.count < room { return result }
            if result.count > limit { throw Errno(rawValue: EFBIG) }
            room = min(room * 4, 1 << 20)
        }
    }

    private static func readChunk(_ fd: Int32, count: Int) -> ([UInt8], Errno?) {
        var failure: Errno?
        let chunk = [UInt8](unsafeUninitializedCapacity: count) { buffer, filled in
            do throws(Errno) {
                filled = try read(fd, into: UnsafeMutableRawBufferPointer(buffer))
            } catch {
                failure = error
            }
        }
        return (chunk, failure)
    }
}
