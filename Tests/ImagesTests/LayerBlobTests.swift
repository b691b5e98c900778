import CLinux
import Glibc
import Images
import OCI
import Sys
import Testing

/// A blob on its way into a layer's record, while others work on the same file.
@Suite struct LayerBlobTests {
    private let fixture: StoreFixture
    private let bytes = Array("the bytes of a blob".utf8)
    private var descriptor: Descriptor {
        Descriptor(mediaType: MediaType.ociLayer, digest: Digest.of(bytes), size: Int64(bytes.count))
    }
    private var path: String { fixture.store.layout.fetched(descriptor.digest) }

    init() throws {
        fixture = try StoreFixture()
        try fixture.store.prepare()
    }

    private func fetch(_ bytes: [UInt8]) throws {
        let file = try File.open(path, O_WRONLY | O_CREAT | O_TRUNC, mode: 0o600)
        try File.write(file.raw, bytes)
        try file.close()
    }

    private func add(_ name: String) throws -> [UInt8]? {
        let diffID = StoreFixture.diffID(name)
        guard case .absent(let claim)? = try fixture.store.claim(diffID) else { throw Errno.busy }
        let staged = try fixture.store.stage(claim, diffID: diffID)
        let blob = StagedBlob(descriptor, path: path, isShared: true)
        let layer = try fixture.store.commit(staged, above: [], size: 0, blob: blob)
        guard let kept = try fixture.store.blob(of: layer.directory.chainID) else { return nil }
        #expect(kept.descriptor == descriptor)
        return try File.readAll(kept.path)
    }

    @Test func itIsTakenOutOfTheFetchedOnes() throws {
        try fetch(bytes)
        #expect(try add("one") == bytes)
        #expect(!File.exists(path))
    }

    /// Another image's pull has dropped the file, having found its own layer there.
    @Test func oneThatIsGoneIsThatOfAnotherLayer() throws {
        try fetch(bytes)
        #expect(try add("one") == bytes)
        #expect(try add("two") == bytes)
    }

    @Test func oneThatIsNowhereIsLeftOut() throws {
        #expect(try add("one") == nil)
    }

    /// Somebody fetches it anew, or counts on more bytes than there are.
    @Test func whoeverHasTheLockKeepsTheFile() throws {
        try fetch(bytes + [0, 1, 2])
        guard let lock = try FileLock.attempt(path, in: File.workingDirectory) else { throw Errno.busy }
        #expect(try add("one") == bytes)
        #expect(File.exists(path))
        try fetch(Array(bytes.prefix(3)))
        // Half of it is no blob; the other layer's is.
        #expect(try add("two") == bytes)
        _ = consume lock
    }

    /// A pull that can't commit its layer, or is killed there, goes on with what it has fetched.
    @Test func itStaysUntilTheLayerIsThere() throws {
        try fetch(bytes)
        let diffID = StoreFixture.diffID("one")
        guard case .absent(let claim)? = try fixture.store.claim(diffID) else { throw Errno.busy }
        let staged = try fixture.store.stage(claim, diffID: diffID)
        let record = fixture.path("image/overlay2/layerdb/sha256/\(diffID.hex)")
        try File.open(record, O_WRONLY | O_CREAT, mode: 0o600).close()
        let blob = StagedBlob(descriptor, path: path, isShared: true)
        #expect(throws: StoreError.self) { try fixture.store.commit(staged, above: [], size: 0, blob: blob) }
        #expect(try File.readAll(path) == bytes)
    }

    /// A record that a disk has changed is told, and does not lead anywhere.
    @Test(arguments: [
        #"{"digest":"D","mediaType":"application/vnd.oci.image.layer.v1.tar","size":-1}"#,
        #"{"digest":"D","mediaType":"text/plain","size":1}"#, "{", "",
    ])
    func aDamagedDescriptor(_ text: String) throws {
        try fetch(bytes)
        #expect(try add("one") == bytes)
        let record = fixture.path("image/overlay2/layerdb/sha256/\(StoreFixture.diffID("one").hex)/blob.json")
        try File.replace(record, with: Array(text.replacing("\"D\"", with: "\"\(descriptor.digest)\"").utf8))
        #expect(throws: StoreError.self) { try fixture.store.blob(of: StoreFixture.diffID("one")) }
    }

    /// What a process that was taken over may have put there instead.
    @Test func whatIsNoFileIsRefused() throws {
        for kind in ["link", "directory", "pipe"] {
            switch kind {
            case "link": try File.symlink("/etc/passwd", path)
            case "directory": try Directory.make(path, mode: 0o700)
            default: try check { mkfifo(path, 0o600) }
            }
            #expect(throws: StoreError.self) { try add("one") }
            if kind == "directory" { try Directory.remove(path) } else { try File.unlink(path) }
        }
    }
}
