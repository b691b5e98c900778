internal import CLinux
internal import FoundationEssentials
internal import Glibc
package import OCI
internal import Sys

/// The blob that a layer was made of, kept in its record: what `push` and `save` give away is what came, byte for byte,
/// and a damaged layer is mended without a registry. It goes with the record, and no other layer counts on it.
package struct LayerBlob: Sendable, Hashable {
    /// Digest and size as they were verified; OCI's media type for what the bytes are compressed with.
    package let descriptor: Descriptor
    package let path: String
}

/// A blob on its way into a layer's record.
package struct StagedBlob: Sendable {
    package var descriptor: Descriptor
    /// A file that nobody trusts: it is opened once, and only a regular one of the right size is taken.
    package var path: String
    /// Others may be fetching it as well, by the lock on the file.
    package var isShared: Bool

    package init(_ descriptor: Descriptor, path: String, isShared: Bool) {
        self.descriptor = descriptor
        self.path = path
        self.isShared = isShared
    }
}

extension StoreLayout {
    /// Where a blob is while it is fetched.
    package func fetched(_ digest: Digest) -> String { "\(blobs)/\(StoreLayout.fetchedName(digest))" }

    package static func fetchedName(_ digest: Digest) -> String {
        "\(digest.algorithm.rawValue)-\(digest.hex).part"
    }

    package func blob(_ chainID: Digest) -> String { "\(layerRecord(chainID))/blob" }
}

extension ImageStore {
    /// The blob of a layer; nil where none was kept.
    package func blob(of chainID: Digest) throws(StoreError) -> LayerBlob? {
        let path = "\(layout.blob(chainID)).json"
        let bytes: [UInt8]
        do throws(Errno) {
            bytes = try File.readRecord(path, expecting: 512, limit: 64 << 10)
        } catch .noEntry {
            return nil
        } catch {
            throw .system(SystemFailure("read", path, error))
        }
        do throws(JSONFault) {
            let descriptor = try BoundedJSON.decode(Descriptor.self, from: bytes, limit: 64 << 10)
            guard descriptor.size >= 0, LayerCompression(mediaType: descriptor.mediaType) != nil else {
                throw JSONFault.value(path: "", reason: "not one of a layer")
            }
            return LayerBlob(descriptor: descriptor, path: layout.blob(chainID))
        } catch {
            throw .damaged(
                path: path, reason: "it is no descriptor (\(error))",
                remedy: "system check --repair fetches the blob anew")
        }
    }

    /// Puts the blob into the record, unsynced: the layer's syncfs takes it along. One that others have taken away meanwhile
    /// is another layer's by now, or is left out: the layer is whole without it. The result is the fetched file, locked, to
    /// be dropped when the record is durable: until then it is what a pull that is killed goes on with.
    func keep(_ blob: StagedBlob, in record: String) throws(Errno) -> FetchedFile? {
        let target = "\(record)/blob"
        var fetched: FetchedFile?
        if !blob.isShared {
            try UntrustedFile(blob.path).link(to: target, size: blob.descriptor.size)
        } else {
            do throws(Errno) {
                fetched = try keepFetched(blob, as: target)
            } catch .noEntry {
                // Gone, or being fetched anew.
                if try !keepElsewhere(blob.descriptor, as: target) { return nil }
            }
        }
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        guard let json = try? encoder.encode(blob.descriptor) else { throw .invalid }
        let note = try File.open(target + ".json", O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, mode: 0o600)
        try File.write(note.raw, Array(json))
        try note.close()
        return fetched
    }
}

extension ImageStore {
    /// ENOENT where the fetched file is gone, or is shorter than it was.
    private func keepFetched(_ blob: StagedBlob, as target: String) throws(Errno) -> FetchedFile? {
        let size = blob.descriptor.size
        let file = try UntrustedFile(blob.path)
        guard try file.size >= size else { throw .noEntry }
        if try file.lock(), try file.size == size {
            try file.link(to: target, size: size)
            return FetchedFile(file)
        }
        // Who has the lock may append to the file, where another image says another size.
        try file.copy(to: target, size: size)
        return nil
    }

    /// Takes the same blob of a layer that stands elsewhere, in another image; false where there is none.
    private func keepElsewhere(_ descriptor: Descriptor, as target: String) throws(Errno) -> Bool {
        for chainID in (try? layerRecordIDs()) ?? [] {
            guard let blob = (try? blob(of: chainID)) ?? nil, blob.descriptor.digest == descriptor.digest,
                blob.descriptor.size == descriptor.size
            else { continue }
            do throws(Errno) {
                try UntrustedFile(blob.path).link(to: target, size: descriptor.size)
                return true
            } catch .noEntry {
                // Removed since.
                continue
            }
        }
        return false
    }
}

/// A fetched blob that is a layer's by now. As long as this value lives, nobody appends to it.
final class FetchedFile {
    private let file: UntrustedFile

    fileprivate init(_ file: consuming UntrustedFile) { self.file = file }

    /// Takes its name away; who can't leaves it to the next pull.
    func drop() { try? file.unlink() }
}

/// A file where a process works that nobody trusts: only a regular one is opened at all, and it is the same in each step.
private struct UntrustedFile: ~Copyable {
    private let path: String
    private let file: OwnedFD

    init(_ path: String) throws(Errno) {
        self.path = path
        let handle = try File.open(path, O_PATH | O_NOFOLLOW)
        guard try File.status(handle.raw).isRegular else { throw .invalid }
        file = try File.open("/proc/self/fd/\(handle.raw)", O_RDONLY)
    }

    var size: Int64 { get throws(Errno) { try File.status(file.raw).size } }

    func lock() throws(Errno) -> Bool {
        let raw = file.raw
        do throws(Errno) {
            try check { flock(raw, LOCK_EX | LOCK_NB) }
            return true
        } catch .again {
            return false
        }
    }

    func link(to target: String, size: Int64) throws(Errno) {
        guard try File.status(file.raw).size == size else { throw .invalid }
        let source = "/proc/self/fd/\(file.raw)"
        try check { linkat(AT_FDCWD, source, AT_FDCWD, target, AT_SYMLINK_FOLLOW) }
    }

    func unlink() throws(Errno) {
        let named = try File.status(path)
        if named.isSameFile(as: try File.status(file.raw)) { try File.unlink(path) }
    }

    /// The first `size` bytes.
    func copy(to target: String, size: Int64) throws(Errno) {
        guard try File.status(file.raw).size >= size else { throw .invalid }
        let copy = try File.open(target, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, mode: 0o600)
        try File.copyContents(from: file.raw, to: copy.raw)
        try File.truncate(copy.raw, to: size)
        try copy.close()
    }
}
