/// Bounds on what registries and archives hand in (bytes, and counts).
package enum DocumentLimits {
    package static let manifestBytes = 4 << 20
    package static let configBytes = 4 << 20
    /// overlayfs takes 500 lower directories (OVL_MAX_STACK).
    package static let layers = 500
    package static let indexEntries = 1000
    /// Of one repository, however many pages they come in.
    package static let tags = 100_000
    /// An index may point to one more index, not further.
    package static let indexDepth = 2
}

/// What a document is, as it says itself, as its sender says and as its descriptor says; all that speak must agree.
package enum DocumentKind: Sendable, Hashable {
    case manifest
    case index

    /// The media types that a request for a manifest accepts, best first.
    package static let accepted = [
        MediaType.ociIndex, MediaType.dockerList, MediaType.ociManifest, MediaType.dockerManifest,
    ]

    /// Classifies `bytes` and refuses everything that is not an image manifest or an index. `contentType` is the
    /// sender's header, `descriptor` the pointer that led here, when there was one: its size and digest are checked.
    package static func classify(
        _ bytes: [UInt8], contentType: String?, descriptor: Descriptor?
    ) throws(ManifestError) -> DocumentKind {
        guard bytes.count <= DocumentLimits.manifestBytes else {
            throw .tooLarge(.manifest, limit: DocumentLimits.manifestBytes)
        }
        if let descriptor { try check(bytes, against: descriptor, .manifest) }
        let probe: Probe
        do throws(JSONFault) {
            probe = try BoundedJSON.decode(Probe.self, from: bytes, limit: DocumentLimits.manifestBytes)
        } catch {
            throw .malformed(.manifest, error)
        }
        if let (key, field) = probe.lookalike { throw .lookalike(key: key, field: field) }
        let declared = [descriptor?.mediaType, probe.mediaType, contentType.flatMap(specific)].compactMap(\.self)
        try refuseSchema1(probe, declared)
        if probe.has(.manifests), probe.has(.layers) || probe.has(.config) {
            throw .ambiguous(
                fields: probe.has(.layers) ? "\"manifests\" and \"layers\"" : "\"manifests\" and \"config\"")
        }
        if let first = declared.first, !declared.allSatisfy({ $0 == first }) { throw .mediaTypes(said: declared) }
        guard let type = declared.first else { return try byShape(probe) }
        switch type {
        case MediaType.ociManifest, MediaType.dockerManifest:
            guard !probe.has(.manifests) else { throw .wanted(.manifest, found: .index) }
            return .manifest
        case MediaType.ociIndex, MediaType.dockerList:
            guard !probe.has(.layers), !probe.has(.config) else { throw .wanted(.index, found: .manifest) }
            return .index
        case "application/vnd.oci.artifact.manifest.v1+json": throw .notAnImage(type: probe.artifactType ?? type)
        default: throw .unknownType(type)
        }
    }

    /// Nobody said a type, as the OCI specification allows: the fields tell.
    private static func byShape(_ probe: Probe) throws(ManifestError) -> DocumentKind {
        if probe.has(.manifests) { return .index }
        if probe.has(.config), probe.has(.layers) { return .manifest }
        throw .unknownType("")
    }

    private static func refuseSchema1(_ probe: Probe, _ declared: [String]) throws(ManifestError) {
        let types = [MediaType.dockerSchema1, MediaType.dockerSchema1Signed]
        if let type = declared.first(where: { types.contains($0) }) { throw .schema1(mediaType: type) }
        if probe.schemaVersion == 1 || probe.has(.fsLayers) {
            throw .schema1(mediaType: probe.has(.signatures) ? types[1] : types[0])
        }
        guard let version = probe.schemaVersion else {
            throw .malformed(.manifest, .value(path: "schemaVersion", reason: "is missing"))
        }
        if version != 2 { throw .schemaVersion(version) }
    }

    /// A Content-Type without parameters, or nil when it says nothing about the document.
    private static func specific(_ contentType: String) -> String? {
        let type = contentType.prefix { $0 != ";" }.lowercased().trimmingSpaces
        let generic = [
            "", "application/json", "application/octet-stream", "binary/octet-stream", "text/plain", "text/json",
        ]
        return generic.contains(type) ? nil : type
    }

    static func check(
        _ bytes: [UInt8], against descriptor: Descriptor, _ document: ManifestError.Document
    ) throws(ManifestError) {
        guard Int64(bytes.count) == descriptor.size else {
            throw .length(document, expected: descriptor.size, actual: Int64(bytes.count))
        }
        let actual = Digest.of(bytes, descriptor.digest.algorithm)
        guard actual == descriptor.digest else {
            throw .digest(document, expected: descriptor.digest, actual: actual)
        }
    }
}

/// The fields that tell one kind of document from another.
private struct Probe: Decodable {
    enum Field: String, CodingKey, CaseIterable {
        case schemaVersion, mediaType, artifactType, config, layers, manifests, fsLayers, signatures
    }

    let schemaVersion: Int?
    let mediaType: String?
    let artifactType: String?
    /// A key that is a field's in other case, as Go's decoder reads it: what is an index to one reader is a manifest
    /// to another.
    let lookalike: (key: String, field: String)?
    private let fields: Set<Field>

    private struct AnyKey: CodingKey {
        let stringValue: String
        var intValue: Int? { nil }

        init(stringValue: String) { self.stringValue = stringValue }
        init?(intValue: Int) { nil }
    }

    init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: Field.self)
        schemaVersion = try container.decodeIfPresent(Int.self, forKey: .schemaVersion)
        mediaType = try container.decodeIfPresent(String.self, forKey: .mediaType)
        artifactType = try container.decodeIfPresent(String.self, forKey: .artifactType)
        fields = Set(container.allKeys)
        let all = try decoder.container(keyedBy: AnyKey.self).allKeys.map(\.stringValue)
        lookalike = all.lazy.compactMap(Probe.lookalike).first
    }

    private static func lookalike(_ key: String) -> (key: String, field: String)? {
        guard Field(rawValue: key) == nil, key.utf8.count < 64 else { return nil }
        // Upper case makes one of all letters that a case-insensitive comparison takes for the same.
        let folded = key.uppercased()
        return Field.allCases.first { $0.rawValue.uppercased() == folded }.map { (key, $0.rawValue) }
    }

    func has(_ field: Field) -> Bool { fields.contains(field) }
}

extension String {
    fileprivate var trimmingSpaces: String {
        String(drop { $0 == " " || $0 == "\t" }.reversed().drop { $0 == " " || $0 == "\t" }.reversed())
    }
}
