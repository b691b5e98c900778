import OCI
import Sys
import TestSupport

/// A registry whose manifests, configs and blobs are texts of the test, in `test/image`: what is said of an image is
/// changed one word at a time, and all digests around it are right.
final class DocumentShelf: Sendable {
    typealias Response = FaultyRegistry.Response

    private final class Content: Sendable {
        /// By the last word of the path.
        let answers = Monitor<[String: Response]>([:])
    }

    /// A tar of one file, the layer of all images here.
    static let tar = TarForge.make { $0.file("hello", "hello\n") }
    static let layer = Digest.of(tar)

    let server: FaultyRegistry
    private let content = Content()

    var name: String { "\(server.host)/test/image" }

    init() throws {
        let content = content
        server = try FaultyRegistry { request, _ in
            let word = request.path.split(separator: "/").last.map(String.init) ?? ""
            return content.answers.read { $0[word] } ?? .error(404, "MANIFEST_UNKNOWN", "manifest unknown")
        }
        blob(DocumentShelf.tar)
    }

    func answer(_ word: String, _ response: Response) { content.answers.update { $0[word] = response } }

    /// Stores a blob or a manifest under its digest.
    @discardableResult
    func blob(_ bytes: [UInt8], type: String? = nil) -> Digest {
        let digest = Digest.of(bytes)
        answer("\(digest)", Response(200, type.map { [("Content-Type", $0)] } ?? [], body: bytes))
        return digest
    }

    /// Stores a manifest or an index under a tag.
    func tag(_ tag: String, _ text: String, type: String? = nil, _ fields: [(name: String, value: String)] = []) {
        answer(tag, Response(200, (type.map { [("Content-Type", $0)] } ?? []) + fields, body: Array(text.utf8)))
    }

    // MARK: Documents

    static func descriptor(
        _ type: String, _ digest: String, _ size: String, more: String = ""
    ) -> String { #"{"mediaType":"\#(type)","digest":"\#(digest)","size":\#(size)\#(more)}"# }

    static func layer(
        type: String = MediaType.ociLayer, digest: String = "\(layer)", size: String = "\(tar.count)", more: String = ""
    ) -> String { descriptor(type, digest, size, more: more) }

    static func config(diffIDs: String = #"["\#(layer)"]"#, more: String = "") -> String {
        let system = #""architecture":"\#(Platform.current.architecture)","os":"linux""#
        return #"{\#(system),"rootfs":{"type":"layers","diff_ids":\#(diffIDs)}\#(more)}"#
    }

    /// An image's manifest; stores its config.
    func manifest(
        layers: String = layer(), config: String = config(), type: String = MediaType.ociManifest, more: String = ""
    ) -> String {
        let digest = blob(Array(config.utf8))
        let descriptor = DocumentShelf.descriptor(MediaType.ociConfig, "\(digest)", "\(config.utf8.count)")
        return #"{"schemaVersion":2,"mediaType":"\#(type)","config":\#(descriptor),"layers":[\#(layers)]\#(more)}"#
    }

    /// An index of one manifest, which is stored.
    func index(_ manifest: String, type: String = MediaType.ociManifest, more: String = "") -> String {
        let digest = blob(Array(manifest.utf8), type: MediaType.ociManifest)
        return DocumentShelf.index(DocumentShelf.descriptor(type, "\(digest)", "\(manifest.utf8.count)", more: more))
    }

    static func index(_ entries: String) -> String {
        #"{"schemaVersion":2,"mediaType":"\#(MediaType.ociIndex)","manifests":[\#(entries)]}"#
    }
}
