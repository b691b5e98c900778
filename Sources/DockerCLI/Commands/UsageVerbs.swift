package import Engine

/// The verbs that look at what running containers use, and change or stop that for a while.
package protocol UsageVerbs {
    func pause(_ name: String) throws
    func unpause(_ name: String) throws
    func update(_ name: String, _ change: UpdateRequest) throws
    func top(_ name: String, options: [String]) throws -> ProcessTable
    /// Each call of what it returns is one more look; without names at all that run, or with `all` at the others too.
    func statsWatch(_ names: [String], all: Bool) throws -> () throws -> [ContainerStats]
}
