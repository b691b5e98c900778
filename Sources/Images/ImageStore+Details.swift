package import OCI
package import Sys

extension ImageStore {
    /// The config as it was received; nil when the image is not here.
    package func configDocument(_ id: Digest) throws(StoreError) -> JSONValue? {
        guard let (bytes, _) = try readConfig(id) else { return nil }
        return try? JSONValue(parsing: bytes)
    }

    /// When the record of a pull of the image was written last; nil where there is none.
    package func timeOfPull(_ id: Digest) -> FileTime? {
        (try? File.status("\(layout.metadata(id))/manifests"))?.modified
    }
}
