package import Images
package import OCI
internal import Sys

/// All of an image that `inspect` shows.
package struct ImageDetails: Sendable {
    package var image: Image
    /// Its config as its builder wrote it.
    package var config: JSONValue
    /// nil for an image without layers.
    package var layers: LayerPaths?
    /// When it was pulled last: RFC 3339.
    package var taggedAt: String?
    /// When a container was made of it, started or removed last: RFC 3339.
    package var usedAt: String?

    package init(
        image: Image, config: JSONValue, layers: LayerPaths?, taggedAt: String?, usedAt: String? = nil
    ) {
        self.image = image
        self.config = config
        self.layers = layers
        self.taggedAt = taggedAt
        self.usedAt = usedAt
    }
}

extension Engine {
    /// An image with all that is known of it.
    package func imageDetails(of name: String) throws(EngineError) -> ImageDetails {
        guard let image = try find(name) else { throw .noSuchImage(name) }
        let config: JSONValue
        let pulled: FileTime?
        do throws(StoreError) {
            config = try images.configDocument(image.id) ?? .object([:])
            pulled = images.timeOfPull(image.id)
        } catch {
            throw .store(error)
        }
        var paths: LayerPaths?
        if let top = image.layers.last {
            let directory = "\(images.layout.layers)/\(top.cacheID)"
            paths = LayerPaths(
                lower: image.layers.dropLast().reversed().map(\.diff), merged: "\(directory)/merged", upper: top.diff,
                work: "\(directory)/work")
        }
        func text(_ time: FileTime?) -> String? {
            time.map { Clock.rfc3339(seconds: $0.seconds, nanoseconds: $0.nanoseconds) }
        }
        return ImageDetails(
            image: image, config: config, layers: paths, taggedAt: text(pulled),
            usedAt: text(images.timeOfUse(image.id)))
    }
}
