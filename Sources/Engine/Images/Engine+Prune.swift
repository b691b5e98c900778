internal import Images
package import OCI
internal import Sys

extension Engine {
    /// Removes those of the images that nothing needs by now, neither a container nor a mount, nor a tag unless `tagged`;
    /// and what killed commands left. The result has docker's lines, and the bytes of the images' layers that went.
    package func pruneImages(_ ids: [Digest], tagged: Bool) throws(EngineError) -> Reclaimed {
        sweep()
        try store { () throws(StoreError) in try images.clean() }
        var result = Reclaimed()
        for id in ids {
            do throws(EngineError) {
                guard let image = try find(id.description) else { continue }
                try prune(image, tagged: tagged, &result)
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
        return result
    }

    private func prune(_ image: Image, tagged: Bool, _ result: inout Reclaimed) throws(EngineError) {
        var lines: [ImageRemoval] = []
        // Also where it fails half-way: what is gone is gone.
        defer { noteRemoval(of: image, lines) }
        try store { () throws(StoreError) in
            try images.prune(
                image.id, tagged: tagged,
                uses: { () throws(StoreError) in
                    try refuseMounted(image, force: false)
                    return try imageUses()
                }
            ) { lines.append(ImageRemoval($0)) }
        }
        let sizes = Dictionary(image.layers.map { ($0.chainID, $0.size) }) { first, _ in first }
        for line in lines {
            switch line {
            case .untagged(let name): result.names.append("untagged: \(name)")
            case .deleted(let digest):
                result.names.append("deleted: \(digest)")
                result.bytes = result.bytes.addingReportingOverflow(sizes[digest] ?? 0).partialValue
            }
        }
    }
}

extension Reclaimed {
    /// A problem that stands in the way of several is told once.
    fileprivate mutating func note(_ problem: String) {
        if !problems.contains(problem) { problems.append(problem) }
    }
}
