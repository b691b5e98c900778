internal import Images
package import OCI
internal import Sys
internal import Union

/// An image's files where they are: no container is made, nothing is mounted.
extension Engine {
    /// The files below `path`, or the one that it is; `depth` names deep, nil for all. A link at the end is followed. The
    /// second value has the diff IDs of the layers, the topmost first.
    package func files(
        of name: String, at path: String, depth: Int?
    ) throws(EngineError) -> (files: [ImageFile], layers: [Digest]) {
        try withHeldImage(name) { image throws(EngineError) in
            let tree = try tree(of: image.layers[...], name)
            let place = try locate(path, in: tree, name)
            let files = try call("list", "\(PathBytes.printable(path.utf8)) in image \(name)") { () throws(Errno) in
                try tree.list(place, depth: depth ?? .max)
            }
            return (files, image.config.rootfs.diffIDs.reversed())
        }
    }

    /// Writes what is in a regular file to `output`, which is borrowed.
    package func readFile(_ path: String, of name: String, to output: Int32) throws(EngineError) {
        let shown = "\(PathBytes.printable(path.utf8)) in image \(name)"
        let file = try withHeldImage(name) { image throws(EngineError) in
            let tree = try tree(of: image.layers[...], name)
            let place = try locate(path, in: tree, name)
            return try call("read", shown) { () throws(Errno) in
                guard let name = place.name else { throw Errno.isDirectory }
                return FileView.Handle(try tree.view.read(name, in: place.directory))
            }
        }
        // The open file stays, whatever becomes of the image.
        try call("read", shown) { () throws(Errno) in
            var offset: Int64 = 0
            while true {
                let bytes = try File.bytes(file.raw, at: offset, count: 1 << 18)
                if bytes.isEmpty { return }
                try File.write(output, bytes)
                offset += Int64(bytes.count)
            }
        }
    }

    /// What `after` has that `before` has not, and the other way round. Without `before`: what the last layer of `after`
    /// did to those below it.
    package func imageChanges(from before: String?, to after: String) throws(EngineError) -> [FileChange] {
        try withHeldImage(after) { image throws(EngineError) in
            let new = try tree(of: image.layers[...], after)
            guard let before else {
                return try compare(try tree(of: image.layers.dropLast(), after), new, after)
            }
            return try withHeldImage(before) { other throws(EngineError) in
                try compare(try tree(of: other.layers[...], before), new, after)
            }
        }
    }

    private func compare(
        _ before: ImageTree, _ after: ImageTree, _ name: String
    ) throws(EngineError) -> [FileChange] {
        var comparison = ImageComparison(before, after)
        do throws(Errno) {
            return try comparison.run()
        } catch {
            throw .system(
                SystemFailure("compare", "\(PathBytes.printable(comparison.current)) in image \(name)", error))
        }
    }

    private func locate(_ path: String, in tree: ImageTree, _ name: String) throws(EngineError) -> ImageTree.Place {
        do throws(Errno) {
            return try tree.locate(path)
        } catch .noEntry {
            throw .invalid(CopySource.notFound(CopyPath(path), "image", name))
        } catch {
            throw .system(SystemFailure("look up", "\(PathBytes.printable(path.utf8)) in image \(name)", error))
        }
    }
}
