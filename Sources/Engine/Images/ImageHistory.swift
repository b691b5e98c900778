internal import Images
package import OCI

/// A step by which an image was made.
package struct ImageStep: Sendable, Hashable {
    /// nil for one before the last: what it made is no image here.
    package var id: Digest?
    /// Seconds since 1970; nil where the builder wrote no time.
    package var created: Int64?
    package var createdBy = ""
    package var comment = ""
    /// Bytes of the files in its layer; 0 for one that made none.
    package var size: Int64 = 0

    package init() {}
}

extension Engine {
    /// The steps of an image, the last one first, as its config tells them.
    package func history(of name: String) throws(EngineError) -> [ImageStep] {
        try store { () throws(StoreError) in try ImageStore.checkName(name) }
        guard let image = try find(name) else { throw .store(ImageStore.missing(name)) }
        var layers = image.layers[...]
        var steps: [ImageStep] = []
        for entry in image.config.history ?? [] {
            var step = ImageStep()
            step.created = entry.created.flatMap(Timestamp.seconds)
            step.createdBy = entry.createdBy ?? ""
            step.comment = entry.comment ?? ""
            if entry.emptyLayer != true {
                guard let layer = layers.popFirst() else {
                    throw .invalid("too many non-empty layers in History section")
                }
                step.size = layer.size
            }
            steps.append(step)
        }
        if !steps.isEmpty { steps[steps.count - 1].id = image.id }
        return steps.reversed()
    }
}
