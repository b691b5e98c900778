internal import CLinux
internal import Glibc

extension File {
    /// Reads up to `bytes.count`; 0 means end of file.
    package static func read(_ fd: Int32, into bytes: UnsafeMutableRawBufferPointer) throws(Errno) -> Int {
        try check { Glibc.read(fd, bytes.baseAddress, bytes.count) }
    }

    /// Writes all of `bytes`, however many calls it takes.
    package static func write(_ fd: Int32, _ bytes: UnsafeRawBufferPointer) throws(Errno) {
        var rest = bytes
        while !rest.isEmpty {
            let part = rest
            let count = try check { Glibc.write(fd, part.baseAddress, part.count) }
            rest = UnsafeRawBufferPointer(rebasing: rest.dropFirst(count))
        }
    }

    package static func write(_ fd: Int32, _ bytes: [UInt8]) throws(Errno) {
        let status: Errno? = bytes.withUnsafeBytes { buffer in
            do throws(Errno) {
                try write(fd, buffer)
                return nil
            } catch {
                return error
            }
        }
        if let status { throw status }
    }

    package static func write(_ fd: Int32, _ text: String) throws(Errno) {
        try write(fd, Array(text.utf8))
    }

    /// The whole of an open file, refused with EFBIG when it has more than `limit` bytes.
    package static func readAll(_ fd: Int32, limit: Int) throws(Errno) -> [UInt8] {
        var result: [UInt8] = []
        let known = (try? status(fd)).map { Int($0.size) } ?? 0
        var chunk = [UInt8](repeating: 0, count: min(max(known + 1, 4096), 1 << 20))
        while true {
            let count = try check {
                chunk.withUnsafeMutableBytes { Glibc.read(fd, $0.baseAddress, $0.count) }
            }
            if count == 0 { return result }
            if result.count + count > limit { throw Errno(rawValue: EFBIG) }
            result.append(contentsOf: chunk[..<count])
        }
    }

    /// The whole file at `path`. The default bound holds for records that we wrote ourselves.
    package static func readAll(
        _ path: String, at directory: Int32 = AT_FDCWD, limit: Int = 64 << 20
    ) throws(Errno) -> [UInt8] {
        let file = try open(path, O_RDONLY | O_NOCTTY, at: directory)
        return try readAll(file.raw, limit: limit)
    }

    /// Replaces `name` in `directory` whole: temporary name, fsync, rename, fsync of the directory. When this returns,
    /// the new contents survive a power cut; a reader sees the old or the new file, never a part. Without `durably` a
    /// power cut may bring the old ones back. With `old` the new file has that one's owner.
    package static func replace(
        _ name: String, in directory: Int32, with bytes: [UInt8], mode: UInt32 = 0o600, durably: Bool = true,
        ownerOf old: FileStatus? = nil
    ) throws(Errno) {
        let temporary = ".\(name.prefix(200)).\(Random.hex(bytes: 6))"
        do throws(Errno) {
            let file = try open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, mode: mode, at: directory)
            if let old, case let new = try status(file.raw), (new.uid, new.gid) != (old.uid, old.gid) {
                try setOwner(file.raw, user: old.uid, group: old.gid)
            }
            try write(file.raw, bytes)
            if durably { try sync(file.raw) }
            try file.close()
            try rename(temporary, at: directory, to: name, at: directory)
        } catch {
            try? unlink(temporary, at: directory)
            throw error
        }
        if durably { try sync(directory) }
    }

    /// As `replace(_:in:)`, by path; names the path in the error.
    package static func replace(
        _ path: String, with bytes: [UInt8], mode: UInt32 = 0o600, durably: Bool = true
    ) throws(SystemFailure) {
        let (parent, name) = Path.split(path)
        do throws(Errno) {
            let directory = try Directory.open(parent)
            try replace(name, in: directory.raw, with: bytes, mode: mode, durably: durably)
        } catch {
            throw SystemFailure("write", path, error)
        }
    }
}

/// Words about path strings; nothing here touches the disk.
package enum Path {
    /// Parent and last component: `/a/b` is `/a` and `b`, `b` is `.` and `b`.
    package static func split(_ path: String) -> (parent: String, name: String) {
        guard let slash = path.utf8.lastIndex(of: UInt8(ascii: "/")) else { return (".", path) }
        let parent = slash == path.startIndex ? "/" : String(path[..<slash])
        return (parent, String(path[path.utf8.index(after: slash)...]))
    }
}
