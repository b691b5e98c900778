package import Engine
package import OCI

/// What the commands on an image's files need of the engine.
package protocol ImageFileVerbs {
    func files(of name: String, at path: String, depth: Int?) throws -> (files: [ImageFile], layers: [Digest])
    func readFile(_ path: String, of name: String, to output: Int32) throws
    func imageChanges(from before: String?, to after: String) throws -> [FileChange]
    func layers(of names: [String]) throws -> LayerTree
}
