internal import OCI
internal import Sys

@testable internal import Layers

/// Z3: layers for overlayfs, merged by its rules, are the tree that the same layers make one onto the other.
package enum WhiteoutFuzz {
    package static func run(_ bytes: [UInt8]) throws(Finding) {
        let recipe = LayerRecipe(bytes)
        let bench = try DiskBench()
        let flat = try bench.directory("flat")
        var stack: [Tree] = []
        for (index, tar) in recipe.layers.enumerated() {
            let layer = try bench.directory("layer\(index)")
            let lowers = stack
            let merged = extract(tar, into: layer, .overlay, lowers: lowers)
            let onto = extract(tar, into: flat, .directory, lowers: [])
            guard merged == nil, onto == nil else {
                try checkAgreement(merged, onto, recipe)
                return
            }
            stack.insert(layer, at: 0)
        }
        try bench.checkCanary()
        // The root itself belongs to whoever made the directory.
        let overlay = try TreeSnapshot(stack).without(".")
        let directory = try TreeSnapshot([flat]).without(".")
        if let difference = overlay.difference(from: directory) {
            throw Finding("merged tree: \(difference)\n\(recipe.script.joined(separator: "\n"))")
        }
    }

    /// Both must refuse, and for the same reason: what one backend takes the other must take.
    private static func checkAgreement(
        _ merged: LayerError?, _ onto: LayerError?, _ recipe: LayerRecipe
    ) throws(Finding) {
        try expect(
            merged != nil && onto != nil,
            "overlay: \(merged?.description ?? "accepted"), directory: \(onto?.description ?? "accepted")\n"
                + recipe.script.joined(separator: "\n"))
    }

    private static func extract(
        _ tar: [UInt8], into tree: Tree, _ format: OnDiskFormat, lowers: [Tree]
    ) -> LayerError? {
        do throws(LayerError) {
            var source = MemorySource(tar)
            var extractor = try LayerExtractor(
                into: tree.fd, format: format, compressedSize: Int64(tar.count),
                lowers: { () throws(LayerError) in lowers.map(\.fd) })
            _ = try extractor.extract(&source)
            return nil
        } catch {
            return error
        }
    }
}
