import OCI
import Testing

@testable import Engine

@Suite struct ConfigurationTests {
    private func decode(_ text: String, path: String = "/etc/runimg/config.json") throws -> Configuration {
        try Configuration.decode(Array(text.utf8), path: path)
    }

    @Test func dockersKeysAreRead() throws {
        let result = try decode(
            #"{"registry-mirrors": ["https://m.example"], "insecure-registries": ["r:5000"], "graph": "/g", "x": 1}"#)
        #expect(result.registryRules.mirrors == [.init(url: "https://m.example", origin: "/etc/runimg/config.json:1")])
        #expect(result.insecureRegistries == ["r:5000"])
        #expect(result.dataRoot == "/g")
    }

    @Test func theFloorOfMirrorsIsANumberOfBytes() throws {
        #expect(try decode(#"{"slow-mirror": 20000}"#).slowMirror == 20_000)
        let message = SpecBuilderTests.message { _ = try decode(#"{"slow-mirror": -1}"#) }
        #expect(message.contains("slow-mirror: -1 is no number of bytes a second"), "\(message)")
    }

    @Test func dockersFileDoesNotMoveOurData() throws {
        #expect(try decode(#"{"data-root": "/d"}"#, path: "/etc/docker/daemon.json").dataRoot == nil)
    }

    @Test func aTypographicQuoteIsPointedAt() {
        let text = "{\n  \u{201C}registry-mirrors\u{201D}: []\n}"
        let message = SpecBuilderTests.message { _ = try decode(text) }
        #expect(message.contains("line 2, column 3: typographic quote"))
    }

    @Test(arguments: [
        ("{\"a\": [1,\n 2 ,\n]}", "line 2, column 4"), ("{\"a\": 1, }", "line 1, column 8"),
        ("{\"a\": \",}\", \"b\": [\"\\\"\", \",\"], \n\n}", "line 1, column 29"),
    ])
    func aCommaBeforeTheEndIsPointedAt(_ text: String, _ place: String) {
        let message = SpecBuilderTests.message { _ = try decode(text) }
        #expect(message.contains("\(place): comma before the end"), "\(message)")
    }

    @Test func quotesAndCommasInStringsAreTheirs() throws {
        let text = "{\"registry-mirrors\": [\"https://a/\u{201C},]\", \"https://b\"]}"
        #expect(try decode(text).registryRules.mirrors.count == 2)
    }

    @Test(arguments: ["{", "[]", #"{"registry-mirrors": "https://m"}"#, #"{"registry-mirrors": [1]}"#, ""])
    func badFilesAreNamed(_ text: String) {
        let message = SpecBuilderTests.message { _ = try decode(text) }
        #expect(message.hasPrefix("unable to configure with file /etc/runimg/config.json: "))
    }
}

/// The keys about runtimes.
@Suite struct RuntimeConfigurationTests {
    private func decode(_ text: String, path: String = "/etc/runimg/config.json") throws -> Configuration {
        try Configuration.decode(Array(text.utf8), path: path)
    }

    private static let dockers = "/etc/docker/daemon.json"

    @Test func theyAreDockers() throws {
        let text = """
            {"default-runtime": "fast", "runtimes": {"fast": {"path": "/opt/crun", "runtimeArgs": ["--debug"]},
             "vm": {"runtimeType": "io.containerd.kata.v2"}}}
            """
        for path in ["/etc/runimg/config.json", Self.dockers] {
            let result = try decode(text, path: path)
            #expect(result.defaultRuntime == "fast")
            #expect(result.runtimes["fast"] == .init(path: "/opt/crun", arguments: ["--debug"], type: nil))
            #expect(result.runtimes["vm"] == .init(path: nil, arguments: [], type: "io.containerd.kata.v2"))
        }
    }

    @Test func dockersOwnDefaultIsNoChoice() throws {
        let text = #"{"default-runtime": "runc"}"#
        #expect(try decode(text, path: Self.dockers).defaultRuntime == nil)
        #expect(try decode(text).defaultRuntime == "runc")
        let own = #"{"default-runtime": "runc", "runtimes": {"runc": {"path": "/opt/runc"}}}"#
        #expect(try decode(own, path: Self.dockers).defaultRuntime == "runc")
        #expect(throws: EngineError.self) { try decode(#"{"runtimes": {"a": {"path": 1}}}"#) }
    }
}

/// The keys about networks.
@Suite struct NetworkConfigurationTests {
    private func decode(_ text: String, path: String = "/etc/runimg/config.json") throws -> Configuration {
        try Configuration.decode(Array(text.utf8), path: path)
    }

    private static let all = """
        {"dns": ["192.0.2.1", "2001:db8::1"], "dns-search": ["a.example"], "dns-opts": ["ndots:2"],
         "bip": "10.200.0.1/24", "default-address-pools": [{"base": "10.10.0.0/16", "size": 24}], "mtu": 1400,
         "ip": "127.0.0.1", "icc": false, "ip-masq": false, "publish-mode": "proxy"}
        """

    @Test func dockersKeysAreRead() throws {
        let result = try decode(Self.all)
        #expect(result.dns.servers.map(\.description) == ["192.0.2.1", "2001:db8::1"])
        #expect(result.dns.search == ["a.example"] && result.dns.options == ["ndots:2"])
        #expect(result.bridgeAddress?.description == "10.200.0.1/24" && result.mtu == 1400)
        #expect(result.addressPools?.map(\.base.description) == ["10.10.0.0/16"])
        #expect(result.addressPools?.map(\.size) == [24] && result.publishAddress?.description == "127.0.0.1")
        #expect(result.connectsContainers == false && result.masquerades == false && result.publishMode == .proxy)
        let none = try decode("{}")
        #expect(none.dns == DNSOptions() && none.bridgeAddress == nil && none.addressPools == nil && none.mtu == nil)
        #expect(none.connectsContainers == nil && none.publishMode == .nft && none.publishAddress == nil)
    }

    /// Two bridges can't have one address.
    @Test func theAddressOfDockersBridgeIsDockers() throws {
        let result = try decode(Self.all, path: "/etc/docker/daemon.json")
        #expect(result.bridgeAddress == nil && result.mtu == 1400)
    }

    @Test(arguments: [
        (#"{"dns": ["x"]}"#, "dns: \"x\" is no IP address"),
        (#"{"dns-search": ["a b"]}"#, "dns-search: \"a b\" is not one word"),
        (#"{"dns-opts": ["a\nnameserver 1.2.3.4"]}"#, "dns-opts: "),
        (#"{"bip": "10.0.0.0/24"}"#, "bip: \"10.0.0.0/24\" is no address"),
        (#"{"bip": "10.0.0.1"}"#, "bip: \"10.0.0.1\" is no address"),
        (#"{"bip": "fd00::1/64"}"#, "bip: \"fd00::1/64\" is no address"),
        (#"{"default-address-pools": [{"base": "x", "size": 24}]}"#, "default-address-pools: \"x\" is no range"),
        (
            #"{"default-address-pools": [{"base": "10.0.0.0/16", "size": 8}]}"#,
            "default-address-pools: subnets of size 8 do not fit into 10.0.0.0/16"
        ),
        (#"{"default-address-pools": [{"base": "10.0.0.1/32", "size": 32}]}"#, "subnets of size 32 do not fit"),
        (#"{"mtu": 20}"#, "mtu: 20 is not from 68 to 65535"), (#"{"ip": "x"}"#, "ip: \"x\" is no IP address"),
        (#"{"publish-mode": "x"}"#, "publish-mode: \"x\" is neither nft nor proxy"),
        (#"{"icc": "no"}"#, "icc: \"no\" is neither true nor false"),
        (#"{"dns": "1.1.1.1"}"#, "dns: \"1.1.1.1\" is not a list"),
        (#"{"default-address-pools": [{"base": "10.0.0.0/8"}]}"#, "default-address-pools[0].size: is missing"),
        (#"{"runtimes": {"x": 7}}"#, "runtimes.x: 7 is not an object"),
        (#"[]"#, "invalid JSON: a list is not an object"),
    ])
    func wrongValuesAreNamed(_ text: String, _ reason: String) {
        #expect(SpecBuilderTests.message { _ = try decode(text) }.contains(reason))
    }
}
