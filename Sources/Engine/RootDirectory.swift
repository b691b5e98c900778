/// A directory of the host's as the root of a container, instead of an image (`--rootfs DIR[:O]`).
package struct RootDirectory: Sendable, Hashable {
    package var path: String
    /// Whether what the container changes goes to its own layer, and not into the directory (`:O`).
    package var isOverlaid = false

    /// As podman reads it: what stands behind the last colon of the last part says how.
    package init(parsing text: String) {
        path = text
        if text.hasSuffix(":O") {
            path = String(text.dropLast(2))
            isOverlaid = true
        }
    }
}
