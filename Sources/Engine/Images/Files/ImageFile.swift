package import Sys

/// A file of an image.
package struct ImageFile: Sendable, Hashable {
    /// From the root, with a slash at its beginning.
    package let path: PathBytes
    package let status: FileStatus
    /// How many layers are above the one that it is in.
    package let layersAbove: Int
    /// Of a link.
    package var target: PathBytes?

    package init(path: PathBytes, status: FileStatus, layersAbove: Int) {
        self.path = path
        self.status = status
        self.layersAbove = layersAbove
    }
}
