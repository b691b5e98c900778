package import OCI
internal import Sys

/// Writes a tar of plain files, of root, without times: the same files make the same bytes.
package struct ArchiveWriter {
    private var writer: TarWriter<FileSink>
    private let buffer = RawBuffer(count: 1 << 20)

    /// Borrows `fd`; `name` is for messages.
    package init(_ fd: Int32, name: String) { writer = TarWriter(FileSink(fd, name: name)) }

    package mutating func directory(_ name: String) throws(LayerError) {
        try writer.header(ArchiveWriter.entry(.directory, name, size: 0))
    }

    package mutating func file(_ name: String, _ bytes: [UInt8]) throws(LayerError) {
        var source = MemorySource(bytes)
        _ = try file(name, size: Int64(bytes.count), from: &source)
    }

    /// A file of exactly `size` bytes, and their digest.
    package mutating func file<Source: ByteSource>(
        _ name: String, size: Int64, from source: inout Source, _ algorithm: Digest.Algorithm = .sha256
    ) throws(LayerError) -> Digest {
        try writer.header(ArchiveWriter.entry(.regular, name, size: size))
        var hashed = HashingSource(source, algorithm)
        while hashed.count < size {
            let room = min(Int64(buffer.bytes.count), size - hashed.count)
            let part = UnsafeMutableRawBufferPointer(rebasing: buffer.bytes[..<Int(room)])
            let got = try hashed.read(into: part)
            if got == 0 { throw .source("\(name) has \(hashed.count) bytes, not \(size)") }
            try writer.data(UnsafeRawBufferPointer(rebasing: part[..<got]))
        }
        source = hashed.base
        try writer.padding()
        return hashed.digest
    }

    package mutating func finish() throws(LayerError) { try writer.finish() }

    private static func entry(_ kind: TarEntry.Kind, _ name: String, size: Int64) -> TarEntry {
        TarEntry(
            kind: kind, name: Array(name.utf8), linkName: [], mode: kind == .directory ? 0o755 : 0o644, user: 0,
            group: 0,
            modified: FileTime(seconds: 0, nanoseconds: 0), size: UInt64(size), storedSize: UInt64(size), extents: nil,
            deviceMajor: 0, deviceMinor: 0, attributes: [])
    }
}
