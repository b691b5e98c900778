package import OCI
internal import Sys

extension ImageStore {
    /// The image `id`, or nil when there is none. `repositories` gives it its names.
    func load(_ id: Digest, names repositories: Repositories) throws(StoreError) -> Image? {
        guard let (config, layers) = try readImage(id) else { return nil }
        let names = repositories.names(of: id)
        var size: Int64 = 0
        for layer in layers {
            let (sum, overflow) = size.addingReportingOverflow(layer.size)
            size = overflow ? Int64.max : sum
        }
        return Image(
            id: id, config: config, layers: layers, names: names.tags, digests: names.digests,
            manifestDigest: try readManifestDigests(id).first, size: size)
    }

    private func readImage(_ id: Digest) throws(StoreError) -> (ImageConfig, [LayerDirectory])? {
        // A removal takes the config away before the layers: where a layer is missing, the image may have gone, and
        // been pulled again, while it was read.
        var attempts = 3
        while true {
            guard let (_, config) = try readConfig(id) else { return nil }
            do throws(StoreError) {
                return (config, try readLayers(of: id, config))
            } catch {
                attempts -= 1
                if attempts == 0 { throw error }
            }
        }
    }

    /// The bytes of a config and what they say; nil when the image is not there.
    func readConfig(_ id: Digest) throws(StoreError) -> (bytes: [UInt8], config: ImageConfig)? {
        let path = layout.config(id)
        let bytes: [UInt8]
        do throws(Errno) {
            bytes = try File.readRecord(path)
        } catch .noEntry {
            return nil
        } catch {
            throw .system(SystemFailure("read", path, error))
        }
        let remedy = "remove the image (rmi -f \(id.short)) and pull it again"
        // A few kilobytes: cheap enough to never start a container from a config that is not the image's.
        guard Digest.of(bytes) == id else {
            throw .damaged(
                path: path, reason: bytes.isEmpty ? "it is empty" : "its digest is not \(id)", remedy: remedy)
        }
        guard let config = (try? JSONValue(parsing: bytes)).flatMap(ImageConfig.init) else {
            throw .damaged(path: path, reason: "it is no image config", remedy: remedy)
        }
        return (bytes, config)
    }

    private func readLayers(of id: Digest, _ config: ImageConfig) throws(StoreError) -> [LayerDirectory] {
        var layers: [LayerDirectory] = []
        for chainID in Digest.chain(of: config.rootfs.diffIDs) {
            guard let layer = try readLayer(chainID) else {
                throw .missingLayer(image: id, chainID: chainID, path: layout.layerRecord(chainID))
            }
            layers.append(layer)
        }
        return layers
    }

    /// The layer of `chainID`, or nil when there is none.
    func readLayer(_ chainID: Digest) throws(StoreError) -> LayerDirectory? {
        let record = layout.layerRecord(chainID)
        guard let cacheID = try readLine("\(record)/cache-id") else { return nil }
        guard LayerNames.isCacheID(cacheID) else {
            throw damagedLayer("\(record)/cache-id", chainID)
        }
        let linkPath = "\(layout.layer(cacheID))/link"
        guard let short = try readLine(linkPath), LayerNames.isShort(short) else {
            throw damagedLayer(linkPath, chainID)
        }
        guard let text = try readLine("\(record)/size"), let size = Int64(text), size >= 0 else {
            throw damagedLayer("\(record)/size", chainID)
        }
        return LayerDirectory(
            chainID: chainID, cacheID: cacheID, diff: "\(layout.layer(cacheID))/diff", link: "l/\(short)", size: size)
    }

    private func damagedLayer(_ path: String, _ chainID: Digest) -> StoreError {
        .damaged(
            path: path, reason: "it is missing, empty or not what was written for layer \(chainID.short)",
            remedy: "remove the images that hold the layer and pull them again")
    }

    /// A record of one line; nil when it is not there.
    func readLine(_ path: String) throws(StoreError) -> String? {
        do throws(Errno) {
            let bytes = try File.readRecord(path, expecting: 256, limit: 4096)
            return String(decoding: bytes.last == UInt8(ascii: "\n") ? bytes.dropLast() : bytes[...], as: UTF8.self)
        } catch .noEntry {
            return nil
        } catch {
            throw .system(SystemFailure("read", path, error))
        }
    }

    /// The manifest that `id` was pulled by, and the index that it was chosen from.
    func readManifestDigests(_ id: Digest) throws(StoreError) -> [Digest] {
        guard let text = try readLine("\(layout.metadata(id))/manifests") else { return [] }
        return text.split(separator: "\n").compactMap { try? Digest(parsing: String($0)) }
    }

    /// A manifest or index, byte for byte as it was received; nil when it is not there.
    package func manifest(_ digest: Digest) throws(StoreError) -> [UInt8]? {
        do throws(Errno) {
            return try File.readRecord(layout.manifest(digest))
        } catch .noEntry {
            return nil
        } catch {
            throw .system(SystemFailure("read", layout.manifest(digest), error))
        }
    }
}

/// Names inside `overlay2/`, as docker makes them.
enum LayerNames {
    private static let base32 = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZ234567")

    static func makeCacheID() -> String { Random.hex(bytes: 32) }

    /// Twenty-six characters: 120 layers' links fit the page that mount(2) takes options in.
    static func makeShort() -> String {
        var generator = SystemRandomNumberGenerator()
        return String((0..<26).map { _ in base32[Int.random(in: 0..<32, using: &generator)] })
    }

    static func isCacheID(_ text: String) -> Bool {
        (1...128).contains(text.utf8.count)
            && text.utf8.allSatisfy { (48...57).contains($0) || (97...122).contains($0) }
    }

    /// A container's layer has its ID.
    static func isContainerID(_ text: String) -> Bool {
        text.utf8.count == 64 && text.utf8.allSatisfy { (48...57).contains($0) || (97...102).contains($0) }
    }

    static func isShort(_ text: String) -> Bool {
        text.utf8.count == 26 && text.utf8.allSatisfy { (65...90).contains($0) || (50...55).contains($0) }
    }
}
