import Glibc
import OCI
import Sys
import TestSupport
import Testing

@testable import Engine

/// Records of networks, and what containers may ask of them.
@Suite struct NetworkStoreTests {
    private let id = String(repeating: "a", count: 64)

    private func engine(_ scratch: Scratch, _ configuration: String = "{}") throws -> Engine {
        var options = GlobalOptions()
        options.dataRoot = scratch("data")
        // Neither this machine's containers nor its networks.
        let places = "\"exec-root\": \"\(scratch("run"))\", \"cni-conf-dir\": \"\(scratch("cni"))\""
        options.configFile = try scratch.file(
            "config.json",
            configuration.replacing("{", with: "{\(places),", maxReplacements: 1).replacing(",}", with: "}"))
        let engine = try Engine(options)
        try scratch.directory("data/containers")
        try engine.containers.setBootMark(try File.readAll("/proc/sys/kernel/random/boot_id", limit: 64))
        return engine
    }

    private func request(_ name: String, _ subnet: String? = nil) -> NetworkRequest {
        var request = NetworkRequest(name: name)
        request.subnets = subnet.map { [NetworkRequest.Subnet($0)] } ?? []
        return request
    }

    @Test func aRecordIsReadBack() throws {
        let scratch = try Scratch()
        let engine = try engine(scratch)
        let made = try engine.createNetwork(request("n", "10.251.0.0/24")).record
        #expect(try engine.networks.load(made.id) == made)
        #expect(try engine.networkDetails(named: "n").record == made)
        #expect(try engine.networkDetails(named: String(made.id.prefix(5))).record == made)
        #expect(try engine.networkDetails(named: "bridge").isBuiltin)
        let all = try engine.allNetworks { Issue.record("\($0)") }
        #expect(all.map(\.record.name) == ["bridge", "host", "n", "none"] && all.map(\.driver)[3] == "null")
        try engine.removeNetwork("n")
        #expect(try engine.networks.identifiers() == [])
        #expect(SpecBuilderTests.message { try engine.removeNetwork("n") } == "network n not found")
        #expect(
            SpecBuilderTests.message { try engine.removeNetwork("none") }
                == "none is a pre-defined network and cannot be removed")
    }

    @Test func aNameGoesBeforeABeginning() throws {
        var one = NetworkRecord(id: "ab" + String(repeating: "0", count: 62), name: "x", created: "")
        let two = NetworkRecord(id: "ac" + String(repeating: "0", count: 62), name: "ab", created: "")
        #expect(try [one, two].find("ab")?.id == two.id && [one, two].find(one.id)?.name == "x")
        #expect(try [one, two].find("") == nil && [one, two].find("b") == nil)
        #expect(
            SpecBuilderTests.message { _ = try [one, two].find("a") }
                == "network a is ambiguous (2 matches found based on ID prefix)")
        one.name = two.id
        #expect(try [one, two].find(two.id)?.id == two.id)
    }

    @Test("A network's record that names another, or what would be a path, is not believed")
    func damagedRecords() throws {
        let scratch = try Scratch()
        let engine = try engine(scratch)
        let good = try engine.createNetwork(request("good")).record
        let path = scratch("data/network/\(id).json")
        func write(_ text: String) throws { try File.replace(path, with: Array(text.utf8)) }
        func text(_ change: (inout NetworkRecord) -> Void) throws -> String {
            var record = good
            record.id = id
            record.name = "bad"
            change(&record)
            try engine.networks.save(record)
            return String(decoding: try File.readAll(path), as: UTF8.self)
        }
        for (content, reason) in [
            ("", "it is empty"), ("{", "it is not a network's record"),
            (try text { $0.name = "../x" }, "it is not a network's record"),
            (try text { $0.options = [NetworkOptionKey.bridgeName: "a/b"] }, "it is not a network's record"),
            (try text { $0.options = [NetworkOptionKey.parent: "a b"] }, "it is not a network's record"),
            (try text { _ in }.replacing(id, with: good.id), "it is another network's record"),
            (try text { $0.version = 2 }, "runimg"),
        ] {
            try write(content)
            let message = SpecBuilderTests.message { _ = try engine.networks.load(id) }
            #expect(message.contains(reason) && message.contains(path), "\(content): \(message)")
            // The others are listed, and nothing is made that could be twice.
            var problems: [String] = []
            #expect(try engine.allNetworks { problems.append($0) }.count == 4 && problems == [message])
            #expect(SpecBuilderTests.message { _ = try engine.createNetwork(request("new")) } == message)
            #expect(try engine.networkDetails(named: "good").record == good)
            #expect(SpecBuilderTests.message { _ = try engine.networkDetails(named: "bad") } == message)
        }
        // What a killed command left goes with the next one.
        try File.unlink(path)
        try scratch.file("data/network/.\(id).json.0123", "{")
        _ = try engine.createNetwork(request("new"))
        #expect(try Directory.entries(scratch("data/network")).count == 2)
    }

    @Test func whatAContainerMayAsk() throws {
        let scratch = try Scratch()
        let engine = try engine(scratch)
        let asked = try engine.createNetwork(request("asked", "10.251.1.0/24")).record
        _ = try engine.createNetwork(request("other"))
        func settle(_ networks: String..., change: (inout NetworkOptions) -> Void = { _ in }) throws -> RunRequest {
            var request = RunRequest(image: "x")
            request.isolation.network = .named(networks[0])
            var options = NetworkOptions()
            options.endpoints = networks.map { EndpointOptions(network: $0) }
            change(&options)
            request.networking = options
            try engine.settleEndpoints(&request)
            return request
        }
        let settled = try settle("asked", "other") { $0.endpoints[0].address = IPAddress("10.251.1.9") }
        #expect(settled.networking?.endpoints.map(\.network).first == asked.id)
        #expect(settled.isolation.network == .named("asked"))
        let refusal = "invalid config for network asked: invalid endpoint settings:\n"
        for (address, message) in [
            ("10.251.1.1", "Address already in use"), ("10.251.1.0", "Address already in use"),
            ("10.251.1.255", "Address already in use"),
            ("10.251.2.1", "\(refusal)no configured subnet or ip-range contain the IP address 10.251.2.1"),
        ] {
            #expect(
                SpecBuilderTests.message {
                    _ = try settle("asked") { $0.endpoints[0].address = IPAddress(address) }
                } == message)
        }
        #expect(
            SpecBuilderTests.message {
                _ = try settle("other") { $0.endpoints[0].address = IPAddress("172.18.0.9") }
            }.hasSuffix("supported only when connecting to networks with user configured subnets"))
        #expect(SpecBuilderTests.message { _ = try settle("nope") } == "network nope not found")
        #expect(SpecBuilderTests.message { _ = try settle("asked", "nope") } == "network nope not found")
        #expect(
            SpecBuilderTests.message { _ = try settle("asked", String(asked.id.prefix(9))) }
                .hasSuffix("is specified multiple times"))
        var plain = RunRequest(image: "x")
        var endpoint = EndpointOptions(network: "bridge")
        endpoint.aliases = ["a"]
        plain.networking = NetworkOptions()
        plain.networking?.endpoints = [endpoint]
        #expect(
            SpecBuilderTests.message { try engine.settleEndpoints(&plain) }
                .hasSuffix("network-scoped alias is supported only for containers in user defined networks"))
    }

    @Test func theDefaultNetwork() throws {
        let scratch = try Scratch()
        let engine = try engine(scratch, #"{"bip": "10.200.0.5/24", "mtu": 1400, "icc": false}"#)
        let record = try engine.networkDetails(named: "bridge").record
        #expect(record.subnets.map(\.prefix.description) == ["10.200.0.0/24"] && record.bridge == "runimg0")
        #expect(record.subnets[0].gateway?.description == "10.200.0.5" && record.mtu == 1400)
        #expect(!record.connectsContainers && record.masquerades)
        #expect(
            SpecBuilderTests.message { _ = try engine.createNetwork(request("n", "10.200.0.0/16")) }
                .hasSuffix("Pool overlaps with other one on this address space"))
    }
}
