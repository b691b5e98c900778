internal import Images
internal import OCI
internal import Sys

extension Engine {
    /// Removes those of the images that nothing needs by now, neither a container nor a mount, nor a tag unless they may
    /// have one; and what killed commands left. The result has docker's lines, and the bytes of the images' layers that
    /// went.
    package func pruneImages(_ request: ImagePruneRequest) throws(EngineError) -> Reclaimed {
        if request.dryRun { return try previewPrune(request) }
        sweep()
        try store { () throws(StoreError) in try images.clean() }
        var result = Reclaimed()
        let total = request.keepBytes == nil ? 0 : try store { () throws(StoreError) in try images.list().layerBytes }
        for id in request.ids {
            if let keep = request.keepBytes, total - result.bytes <= keep { break }
            do throws(EngineError) {
                guard let image = try find(id.description) else { continue }
                try prune(image, tagged: request.tagged, &result)
            } catch .store(.conflict) {
                continue
            } catch {
                result.note("\(error)")
            }
        }
        do throws(EngineError) {
            try store { () throws(StoreError) in
                try images.removeOrphans { () throws(StoreError) in try imageUses() }
            }
        } catch {
            result.note("\(error)")
        }
        notePrune("image", reclaimed: result.bytes)
        return result
    }

    private func prune(_ image: Image, tagged: Bool, _ result: inout Reclaimed) throws(EngineError) {
        var lines: [RemovalLine] = []
        // Also where it fails half-way: what is gone is gone.
        defer { noteRemoval(of: image, lines.map(ImageRemoval.init)) }
        try store { () throws(StoreError) in
            try images.prune(
                image.id, tagged: tagged,
                uses: { () throws(StoreError) in
                    try refuseMounted(image, force: false)
                    return try imageUses()
                }
            ) { lines.append($0) }
        }
        for line in lines { result.add(line, of: image) }
    }

    private func previewPrune(_ request: ImagePruneRequest) throws(EngineError) -> Reclaimed {
        let mounted = Set(try mountedFiles(.images).map(\.id))
        var result = Reclaimed()
        try store { () throws(StoreError) in
            var preview = PrunePreview(try images.list(), try imageUses())
            for id in request.ids where !mounted.contains(id.hex) {
                if let keep = request.keepBytes, preview.layerBytes <= keep { break }
                guard let image = preview.images[id] else { continue }
                for line in preview.remove(id, tagged: request.tagged) { result.add(line, of: image) }
            }
        }
        return result
    }
}

extension Reclaimed {
    /// A problem that stands in the way of several is told once.
    fileprivate mutating func note(_ problem: String) {
        if !problems.contains(problem) { problems.append(problem) }
    }

    fileprivate mutating func add(_ line: RemovalLine, of image: Image) {
        switch line {
        case .untagged(let name): names.append("untagged: \(name.familiar)")
        case .deleted(let digest):
            names.append("deleted: \(digest)")
            let size = image.layers.first { $0.chainID == digest }?.size ?? 0
            bytes = bytes.addingReportingOverflow(size).partialValue
        }
    }
}
