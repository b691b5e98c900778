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

    convenience init(_ path: String, spool: String, interruption: Interruption) throws(WorkerError) {
        let opened = try system("open", path) { () throws(Errno) in
            try File.open(path, O_RDONLY | O_NOCTTY | O_NONBLOCK)
        }
        let status = try system("stat", path) { () throws(Errno) in try File.status(opened.raw) }
        guard status.isRegular else { throw .source(path, reason: "it is not a file") }
        try self.init(opened, name: path, spool: spool, interruption: interruption)
    }

    /// A file, or a pipe, whose bytes are read once.
    init(
        _ opened: consuming OwnedFD, name: String, spool: String, interruption: Interruption
    ) throws(WorkerError) {
        self.name = name
        let raw = opened.raw
        let status = try system("stat", name) { () throws(Errno) in try File.status(raw) }
        var isPlain = status.isRegular
        if isPlain { isPlain = try !Archive.isCompressed(raw, name) }
        if !isPlain {
            file = try Archive.inflate(raw, name, spool: spool, interruption)
        } else {
            file = opened
        }
        let size = try system("stat", name) { [raw = file.raw] () throws(Errno) in try File.status(raw).size }
        members = try TarIndex.read(file.raw, size: size, name: name)
    }

    func has(_ path: String) -> Bool { members[path] != nil }

    func open(_ path: String) throws(WorkerError) -> LocalBytes? {
        guard var member = members[path] else { return nil }
        // docker before 25 writes a layer that images share once, and links to it. The link leads from name to name in
        // the archive, one step.
        if let link = member.link { member = members[link] ?? member }
        guard let length = member.length else {
            throw .source(name, reason: "its member \(path) is not a file, or there are several of that name")
        }
        let copy = try system("duplicate", name) { [raw = file.raw] () throws(Errno) in
            try File.duplicate(raw)
        }
        return LocalBytes(copy, offset: member.offset, length: length, name: "\(path) of \(name)")
    }

    /// gzip (RFC 1952), zstd (RFC 8878) or xz, by their first bytes.
    private static func isCompressed(_ fd: Int32, _ path: String) throws(WorkerError) -> Bool {
        let magic = try system("read", path) { () throws(Errno) in try File.bytes(fd, at: 0, count: 6) }
        return magic.starts(with: [0x1f, 0x8b]) || magic.starts(with: [0x28, 0xb5, 0x2f, 0xfd])
            || magic == [0xfd, 0x37, 0x7a, 0x58, 0x5a, 0x00]
    }

    private static func inflate(
        _ fd: Int32, _ path: String, spool: String, _ interruption: Interruption
    ) throws(WorkerError) -> OwnedFD {
        let output = try system("make a temporary file in", spool) { () throws(Errno) in
            try File.open(spool, O_RDWR | O_TMPFILE, mode: 0o600)
        }
        var source = Inflater(InterruptibleSource(fd, name: path, interruption), accepts: .archives)
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

/// A file or a pipe whose writer takes its time.
struct InterruptibleSource: ByteSource {
    private let fd: Int32
    private let name: String
    private let interruption: Interruption

    /// Borrows `fd`; `name` is for messages.
    init(_ fd: Int32, name: String, _ interruption: Interruption) {
        self.fd = fd
        self.name = name
        self.interruption = interruption
    }

    mutating func read(into buffer: UnsafeMutableRawBufferPointer) throws(LayerError) -> Int {
        do throws(Errno) {
            while true {
                if interruption.isRequested { throw Errno.interrupted }
                var items = [PollItem(fd, .readable)]
                if try PollItem.wait(&items, milliseconds: 200) > 0 { return try File.read(fd, into: buffer) }
            }
        } catch {
            throw .system(operation: "read", entry: name, error)
        }
    }
}
