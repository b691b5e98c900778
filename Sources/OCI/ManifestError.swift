/// Why a document is not used. Each message names what was found.
package enum ManifestError: Error, Hashable, Sendable, CustomStringConvertible {
    /// What a document claims to be or is read as.
    package enum Document: String, Sendable {
        case manifest, index
        case config = "image config"
    }

    case tooLarge(Document, limit: Int)
    case malformed(Document, JSONFault)
    /// Content that is not what its descriptor promises.
    case digest(Document, expected: Digest, actual: Digest)
    case length(Document, expected: Int64, actual: Int64)
    case schemaVersion(Int)
    case schema1(mediaType: String)
    /// Fields of both an index and a manifest (CVE-2021-41190).
    case ambiguous(fields: String)
    /// A key that readers which do not tell case apart take for another one.
    case lookalike(key: String, field: String)
    /// The descriptor, the document and the Content-Type do not agree.
    case mediaTypes(said: [String])
    case unknownType(String)
    case wanted(Document, found: Document)
    case notAnImage(type: String)
    case layerType(layer: Int, type: String)
    case foreignLayer(layer: Int, type: String)
    case encryptedLayer(layer: Int, type: String)
    case tooManyLayers(count: Int, limit: Int)
    case tooManyEntries(count: Int, limit: Int)
    case negativeSize(field: String, size: Int64)
    case configTooLarge(size: Int64, limit: Int)
    case totalSize
    case noMatch(wanted: Platform, available: [Platform])
    case layerCount(layers: Int, diffIDs: Int)
    case rootfsType(String)
    case otherPlatform(wanted: Platform, actual: Platform)

    package var description: String {
        switch self {
        case .tooLarge(let document, let limit): "\(document.rawValue) refused: more than \(limit) bytes"
        case .malformed(let document, let fault): "malformed \(document.rawValue): \(fault)"
        case .digest(let document, let expected, let actual):
            "\(document.rawValue) refused: its digest is \(actual), not \(expected)"
        case .length(let document, let expected, let actual):
            "\(document.rawValue) refused: it has \(actual) bytes, not \(expected)"
        case .schemaVersion(let version): "unsupported manifest: schema version \(version), want 2"
        case .ambiguous(let fields):
            "ambiguous document refused: it has \(fields), so it is both an index and a manifest"
        case .lookalike(let key, let field):
            "ambiguous document refused: some readers take its key \(ManifestError.shown(key)) for \"\(field)\""
        case .mediaTypes(let said):
            "document refused: its media types do not agree: \(said.map(ManifestError.shown).joined(separator: ", "))"
        case .unknownType(let type): "unsupported media type \(ManifestError.shown(type))"
        case .wanted(let wanted, let found): "\(found.rawValue) found where \(wanted.rawValue) was expected"
        case .negativeSize(let field, let size): "malformed manifest: \(field) is \(size)"
        case .configTooLarge(let size, let limit): "image config refused: \(size) bytes, the limit is \(limit)"
        case .totalSize: "malformed manifest: the sizes of its layers overflow"
        case .noMatch(let wanted, let available): ManifestError.noMatch(wanted, available)
        case .rootfsType(let type): "malformed image config: rootfs.type is \(ManifestError.shown(type)), want layers"
        case .layerCount(let layers, let diffIDs):
            "image refused: its manifest has \(layers) layers, its config \(diffIDs) diff_ids"
        case .otherPlatform(let wanted, let actual):
            "image refused: its config is for \(ForeignText("\(actual)")), the index says \(ForeignText("\(wanted)"))"
        default: imageDescription
        }
    }

    /// What kind of thing it is instead of an image that runs here.
    private var imageDescription: String {
        switch self {
        case .schema1(let type):
            "image manifest schema 1 (\(ManifestError.shown(type))) is not supported; push the image again with a "
                + "current tool to convert it to schema 2 or OCI"
        case .notAnImage(let type): "not a runnable image: it is of type \(ManifestError.shown(type))"
        case .layerType(let layer, let type):
            "layer \(layer) has unsupported media type \(ManifestError.shown(type))"
        case .foreignLayer(let layer, let type):
            "layer \(layer) is a foreign layer (\(ManifestError.shown(type))) kept outside the registry; foreign layers "
                + "are not supported"
        case .encryptedLayer(let layer, let type):
            "layer \(layer) is encrypted (\(ManifestError.shown(type))); encrypted layers are not supported"
        case .tooManyLayers(let count, let limit): "image refused: \(count) layers, the limit is \(limit)"
        case .tooManyEntries(let count, let limit): "index refused: \(count) entries, the limit is \(limit)"
        default: ""
        }
    }

    private static func shown(_ type: String) -> String { "\"\(ForeignText(type, limit: 120))\"" }

    private static func noMatch(_ wanted: Platform, _ available: [Platform]) -> String {
        let base = "no matching manifest for \(ForeignText("\(wanted)")) in the manifest list entries"
        if available.isEmpty { return base + "; it lists no platform" }
        let names = available.prefix(24).map { ForeignText("\($0)", limit: 60).description }
        return base + "; it has \(names.joined(separator: ", "))" + (available.count > 24 ? ", …" : "")
    }
}
