internal import CLinux
internal import Images
internal import Layers
internal import OCI
internal import Sys

/// A tar file whose members are read by exact name, in place: nothing of it is ever unpacked under a name of its own.
/// A compressed one is inflated first into an unnamed file.
final class Archive: LayoutFiles {
    let name: String
    private let file: OwnedFD
    private let members: [String: TarIndex.Member]

    init(_ path: String, spool: String, interruption: Interruption) throws(WorkerError) {
        name = path
        let opened = try system("open", path) { () throws(Errno) in
            try File.open(path, O_RDONLY | O_NOCTTY | O_NONBLOCK)
        }
        let status = try system("stat", path) { () throws(Errno) in try File.status(opened.raw) }
        guard status.isRegular else { throw .source(path, reason: "it is not a file") }
        if try Archive.isCompressed(opened.raw, path) {
            file = try Archive.inflate(opened.raw, path, spool: spool, interruption)
        } else {
            file = opened
        }
        let size = try system("stat", path) { [raw = file.raw] () throws(Errno) in try File.status(raw).size }
        members = try TarIndex.read(file.raw, size: size, name: path)
    }

    func open(_ path: String) throws(WorkerError) -> LocalBytes? {
        guard let member = members[path] else { return nil }
        guard let length = member.length else {
            throw .source(name, reason: "its member \(path) is not a file, or there are several of that name")
        }
        let copy = try system("duplicate", name) { [raw = file.raw] () throws(Errno) in
            try File.duplicate(raw)
        }
        return LocalBytes(copy, offset: member.offset, length: length, name: "\(path) of \(name)")
    }

    /// gzip (RFC 1952) or zstd (RFC 8878), by their first bytes.
    private static func isCompressed(_ fd: Int32, _ path: String) throws(WorkerError) -> Bool {
        let magic = try system("read", path) { () throws(Errno) in try File.bytes(fd, at: 0, count: 4) }
        return magic.starts(with: [0x1f, 0x8b]) || magic == [0x28, 0xb5, 0x2f, 0xfd]
    }

    private static func inflate(
        _ fd: Int32, _ path: String, spool: String, _ interruption: Interruption
    ) throws(WorkerError) -> OwnedFD {
        let output = try system("make a temporary file in", spool) { () throws(Errno) in
            try File.open(spool, O_RDWR | O_TMPFILE, mode: 0o600)
        }
        var source = Inflater(FileSource(fd, name: path))
        let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 1 << 20, alignment: 64)
        defer { buffer.deallocate() }
        while true {
            try interruption.check()
            let count: Int
            do throws(LayerError) {
                count = try source.read(into: buffer)
            } catch {
                throw .source(path, reason: "\(error)")
            }
            if count == 0 { return output }
            try system("write a temporary file in", spool) { () throws(Errno) in
                try File.write(output.raw, UnsafeRawBufferPointer(rebasing: buffer[..<count]))
            }
        }
    }
}
