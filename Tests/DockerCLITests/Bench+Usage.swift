import DockerCLI
import Engine

extension RecordingEngine: UsageVerbs {
    private func note(_ verb: String, _ name: String) throws {
        usageCalls.append("\(verb) \(name)")
        if name == "bad" { throw PlainFailure(description: "No such container: bad") }
    }

    func pause(_ name: String) throws { try note("pause", name) }
    func unpause(_ name: String) throws { try note("unpause", name) }

    func update(_ name: String, _ change: UpdateRequest) throws {
        updates.append(change)
        try note("update", name)
    }

    func top(_ name: String, options: [String]) throws -> ProcessTable {
        try note("top", ([name] + options).joined(separator: " "))
        return processes
    }

    func statsWatch(_ names: [String], all: Bool) throws -> () throws -> [ContainerStats] {
        try note("stats", "\(names) \(all)")
        var rest = looks
        return { rest.isEmpty ? [] : rest.removeFirst() }
    }
}
