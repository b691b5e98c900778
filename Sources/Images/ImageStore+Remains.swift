package import OCI

extension ImageStore {
    /// What is left of an image that was removed by force while a container stood on it: its layers, up to `top`, and what
    /// the container kept of its configuration. nil where a layer is gone.
    package func remains(
        of id: Digest, top: Digest, execution: ImageConfig.Execution
    ) throws(StoreError) -> Image? {
        var layers: [LayerDirectory] = []
        var diffIDs: [Digest] = []
        var seen: Set<Digest> = []
        var next: Digest? = top
        while let chainID = next {
            let record = layout.layerRecord(chainID)
            guard seen.insert(chainID).inserted, let layer = try readLayer(chainID),
                let diffID = try digest("\(record)/diff")
            else { return nil }
            layers.append(layer)
            diffIDs.append(diffID)
            next = try digest("\(record)/parent")
        }
        // A record that was damaged leads elsewhere.
        guard Digest.chain(of: diffIDs.reversed()).last == top else { return nil }
        let own = Platform.current
        var config = ImageConfig(os: own.os, architecture: own.architecture, diffIDs: diffIDs.reversed())
        config.config = execution
        return Image(
            id: id, config: config, layers: layers.reversed(), names: [], digests: [], manifestDigest: nil,
            size: layers.reduce(0) { $0.addingReportingOverflow($1.size).partialValue })
    }

    private func digest(_ path: String) throws(StoreError) -> Digest? {
        try readLine(path).flatMap { try? Digest(parsing: $0) }
    }
}
