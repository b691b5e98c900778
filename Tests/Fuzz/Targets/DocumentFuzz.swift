internal import FoundationEssentials
internal import OCI

/// Z4: manifests, indexes and configs. What is accepted is within its limits, is one kind of document, survives being
/// written and read again, and means the same to the reader of a warm start.
package enum DocumentFuzz {
    /// A document, or a Content-Type, a NUL and a document.
    package static func run(_ bytes: [UInt8]) throws(Finding) {
        var document = bytes
        var type: String?
        if let end = bytes.firstIndex(of: 0) {
            type = String(decoding: bytes[..<end], as: UTF8.self)
            document = Array(bytes[(end + 1)...])
        }
        try checkScan(document)
        let manifest = try? Manifest.decode(document, contentType: type)
        let index = try? Index.decode(document, contentType: type)
        try expect(manifest == nil || index == nil, "manifest and index at once")
        let kind = try? DocumentKind.classify(document, contentType: type, descriptor: nil)
        if let manifest {
            try expect(kind == .manifest, "a manifest is classified as \(String(describing: kind))")
            try check(manifest)
            try checkStable(manifest) { (written) throws(ManifestError) in try Manifest.decode(written) }
        }
        if let index {
            try expect(kind == .index, "an index is classified as \(String(describing: kind))")
            try check(index)
            try checkStable(index) { (written) throws(ManifestError) in try Index.decode(written) }
        }
        if let config = try? ImageConfig.decode(document) { try check(config, document) }
    }

    // MARK: JSON itself

    private static func checkScan(_ document: [UInt8]) throws(Finding) {
        let scanned: Void? = try? BoundedJSON.scan(document)
        guard scanned != nil else { return }
        let depth = depth(document)
        try expect(depth <= BoundedJSON.maximumDepth, "\(depth) levels")
        // What the scanner takes, the reader of warm starts takes.
        try expect((try? JSONValue(parsing: document)) != nil, "scanned, but not read")
    }

    /// Levels of nesting by the brackets outside of strings.
    private static func depth(_ document: [UInt8]) -> Int {
        var (depth, deepest, isString, isEscaped) = (0, 0, false, false)
        for byte in document {
            if isString {
                if isEscaped {
                    isEscaped = false
                } else if byte == UInt8(ascii: "\\") {
                    isEscaped = true
                } else if byte == UInt8(ascii: "\"") {
                    isString = false
                }
                continue
            }
            switch byte {
            case UInt8(ascii: "\""): isString = true
            case UInt8(ascii: "["), UInt8(ascii: "{"): depth += 1
            case UInt8(ascii: "]"), UInt8(ascii: "}"): depth -= 1
            default: break
            }
            deepest = max(deepest, depth)
        }
        return deepest
    }

    private static func checkStable<Value: Codable & Equatable>(
        _ value: Value, _ decode: ([UInt8]) throws(ManifestError) -> Value
    ) throws(Finding) {
        guard let written = try? JSONEncoder().encode(value) else { throw Finding("cannot be written: \(value)") }
        do throws(ManifestError) {
            let again = try decode(Array(written))
            try lift(again == value, "\(value) is read again as \(again)")
        } catch {
            // A media type that only the sender said is not in the document.
            throw Finding("not read again: \(error)")
        }
    }

    private static func lift(_ condition: Bool, _ message: @autoclosure () -> String) throws(ManifestError) {
        if !condition { throw .unknownType(message()) }
    }

    // MARK: Documents

    private static func check(_ manifest: Manifest) throws(Finding) {
        try expect(manifest.layers.count <= DocumentLimits.layers, "\(manifest.layers.count) layers")
        try expect((0...Int64(DocumentLimits.configBytes)).contains(manifest.config.size), "config of \(manifest)")
        var total: Int64 = 0
        for layer in manifest.layers {
            try expect(layer.size >= 0 && layer.size <= Int64.max - total, "sizes of \(manifest)")
            total += layer.size
            try expect(LayerCompression(mediaType: layer.mediaType) != nil, "layer of type \(layer.mediaType)")
            try expect(layer.urls?.isEmpty ?? true, "layer from elsewhere in \(manifest)")
        }
        try expect(manifest.totalSize == total, "total of \(manifest)")
        let configs = [MediaType.ociConfig, MediaType.dockerConfig]
        try expect(configs.contains(manifest.config.mediaType), "config of type \(manifest.config.mediaType)")
    }

    private static func check(_ index: Index) throws(Finding) {
        try expect(index.manifests.count <= DocumentLimits.indexEntries, "\(index.manifests.count) entries")
        try expect(index.manifests.allSatisfy { $0.size >= 0 }, "a negative size in \(index)")
        let wanted = Platform(os: "linux", architecture: "arm64")
        guard let chosen = try? index.choose(for: wanted) else { return }
        try expect(index.manifests.contains(chosen), "chose \(chosen), which is not there")
        guard let platform = chosen.platform?.normalized else { return }
        let fits = platform.os == "linux" && ["arm64", "arm"].contains(platform.architecture)
        try expect(fits, "chose \(platform) for \(wanted)")
    }

    private static func check(_ config: ImageConfig, _ document: [UInt8]) throws(Finding) {
        try expect(config.rootfs.type == "layers", "root file system of \(config.rootfs.type)")
        try checkStable(config) { (written) throws(ManifestError) in try ImageConfig.decode(written) }
        guard let value = try? JSONValue(parsing: document), let warm = ImageConfig(value) else {
            throw Finding("the warm reader refuses \(config)")
        }
        try expect(warm == config, "the warm reader has \(warm), not \(config)")
        try expect(Digest.chain(of: config.rootfs.diffIDs).count == config.rootfs.diffIDs.count, "chain of \(config)")
    }
}
