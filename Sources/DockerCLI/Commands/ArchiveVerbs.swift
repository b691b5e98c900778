package import Engine
package import OCI

/// What the commands that give images away or take them need of the engine.
package protocol ArchiveVerbs {
    func save(_ options: SaveOptions, to output: Int32, shown: String) throws
    func save(_ options: SaveOptions, toFile path: String) throws
    func load(_ options: LoadOptions, observer: (EngineEvent) -> Void) throws
    func push(_ options: PushOptions, observer: (EngineEvent) -> Void) throws -> String
    func importImage(_ options: ImportOptions) throws -> Digest
}
