/// No union mount at all. Before the launch the engine copies the layers' tree together in the mount point (`Union`), which
/// is then bound as it stands; afterwards it brings what was changed there back into the upper layer.
package struct CopyUp: RootfsDriver {
    package static let name = "copyup"

    package init() {}

    package func mount(_ stack: LayerStack) throws(RootfsError) -> RootfsMount {
        if stack.layers.isEmpty { throw .noLayers }
        return RootfsMount(
            step: .bind(source: stack.mountPoint), mountPoint: stack.mountPoint, readOnly: stack.readOnly)
    }
}
