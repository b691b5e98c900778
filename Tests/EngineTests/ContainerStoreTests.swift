import Glibc
import OCI
import Sys
import TestSupport
import Testing

@testable import Engine

/// Records are read back by whichever process comes next, and may be damaged by then.
@Suite struct ContainerStoreTests {
    private let id = String(repeating: "a", count: 64)
    private let other = String(repeating: "b", count: 64)

    private func record(_ id: String) throws -> ContainerRecord {
        let image = try Digest(parsing: "sha256:\(String(repeating: "0", count: 64))")
        var request = RunRequest(image: "x")
        request.remove = true
        return ContainerRecord(
            id: id, name: "n-\(id.prefix(4))", image: image, request: request, execution: ImageConfig.Execution(),
            arguments: ["sh"])
    }

    private func engine(_ scratch: Scratch) throws -> Engine {
        var options = GlobalOptions()
        options.dataRoot = scratch("data")
        options.execRoot = scratch("run")
        options.configFile = try scratch.file("config.json", "{}")
        let engine = try Engine(options)
        // As if a command had looked after this boot's containers: those made here did not end with the machine.
        try scratch.directory("data/containers")
        try engine.containers.setBootMark(try File.readAll("/proc/sys/kernel/random/boot_id", limit: 64))
        return engine
    }

    @Test("R18: a record that names another container is not believed") func aRecordIsItsOwnContainers() throws {
        let scratch = try Scratch()
        let engine = try engine(scratch)
        for id in [id, other] { try engine.containers.create(try record(id)) }
        let copied = try File.readAll(engine.containers.directory(other) + "/config.json")
        try File.replace(engine.containers.directory(id) + "/config.json", with: copied)
        #expect(SpecBuilderTests.message { _ = try engine.containers.load(id) }.contains("another container's record"))
        #expect(try engine.containers.all { _ in }.map(\.id) == [other])
        // Dead, it stays; asked for, it is removed by its own name and takes nothing of the other's along.
        try scratch.directory("run/\(id)", mode: 0o700)
        try scratch.file("run/\(id)/state.json", #"{"dataRoot": "\#(scratch("data"))", "pid": 1}"#, mode: 0o600)
        #expect(engine.sweep().isEmpty)
        #expect(try engine.containers.identifiers().sorted() == [id, other])
        try engine.remove(id, force: true, volumes: true)
        #expect(try engine.containers.identifiers() == [other])
        #expect(File.exists(engine.containers.upper(other)) && !File.exists(engine.containers.layer(id)))
    }

    @Test("R18: a record's volume that would be a path is not removed", arguments: ["../../kept", "..", "/kept", ""])
    func aVolumeIsANameOnly(_ name: String) throws {
        let scratch = try Scratch()
        let engine = try engine(scratch)
        try scratch.file("kept/file", "kept")
        try scratch.file("data/volumes/good/_data/file", "kept")
        var record = try record(id)
        try engine.containers.create(record)
        record.anonymousVolumes = [name]
        #expect(SpecBuilderTests.message { try engine.discard(record) }.contains("invalid characters"))
        #expect(File.exists(scratch("kept/file")) && File.exists(scratch("data/volumes/good/_data/file")))
    }

    @Test("R18: what is not named like a container is none of ours", arguments: ["A", "g", ".", "ü"])
    func strangersAreLeftAlone(_ letter: String) throws {
        let scratch = try Scratch()
        let engine = try engine(scratch)
        let name = String(repeating: letter, count: 64 / letter.utf8.count)
        try scratch.directory("run/\(name)")
        try scratch.directory("data/containers/\(name)")
        #expect(engine.sweep().isEmpty)
        #expect(try engine.containers.identifiers() == [])
        #expect(File.exists(scratch("run/\(name)")) && File.exists(scratch("data/containers/\(name)")))
    }
}
