internal import FoundationEssentials
internal import Images
internal import OCI

/// Manifests as docker's `manifest inspect` lays them out. They are shown as they are, where docker makes a list anew.
enum ManifestText {
    static func plain(_ document: RegistryDocument) -> String {
        JSONIndentation.indented(document.bytes, by: document.header.role == .index ? "   " : "\t")
    }

    /// With descriptors: of a manifest that stands alone, or of all that an index names, as a list.
    static func verbose(_ documents: [RegistryDocument], _ name: Reference) -> String {
        guard let first = documents.first else { return "" }
        let text: String
        if first.header.role == .index {
            let entries = documents.dropFirst().map { document in
                let digest = Digest.of(document.bytes)
                let reference = Reference(
                    domain: name.domain, path: name.path, tag: name.tag, digest: digest)
                return entry(document, reference, document.header.platform)
            }
            text = "[" + entries.joined(separator: ",") + "]"
        } else {
            let config = documents.first { $0.header.role == .config }
            text = entry(first, name, config.flatMap { try? ImageConfig.decode($0.bytes).platform })
        }
        return JSONIndentation.indented(Array(text.utf8), by: "\t")
    }

    private static func entry(_ document: RegistryDocument, _ name: Reference, _ platform: Platform?) -> String {
        let type = (try? JSONValue(parsing: document.bytes))?["mediaType"]?.string ?? document.header.mediaType
        var descriptor = [
            "\"mediaType\":\(quoted(type))", "\"digest\":\(quoted("\(Digest.of(document.bytes))"))",
            "\"size\":\(document.bytes.count)",
        ]
        if let platform { descriptor.append("\"platform\":\(json(platform))") }
        var members = [
            "\"Ref\":\(quoted(name.canonical))", "\"Descriptor\":{\(descriptor.joined(separator: ","))}",
            "\"Raw\":\(quoted(Data(document.bytes).base64EncodedString()))",
        ]
        // docker's names for the two kinds; an index in an index has none.
        if document.header.role == .manifest {
            let key = type == MediaType.dockerManifest ? "SchemaV2Manifest" : "OCIManifest"
            members.append("\(quoted(key)):" + String(decoding: document.bytes, as: UTF8.self))
        }
        return "{\(members.joined(separator: ","))}"
    }

    private static func json(_ platform: Platform) -> String {
        let members = [
            ("architecture", platform.architecture), ("os", platform.os), ("os.version", platform.osVersion),
            ("variant", platform.variant),
        ].compactMap { key, value in value.map { "\(quoted(key)):\(quoted($0))" } }
        return "{\(members.joined(separator: ","))}"
    }

    private static func quoted(_ text: String) -> String { GoQuotation.json(html: false).quote(text) }
}
