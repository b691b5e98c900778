import DockerCLI
import Engine
import Testing

/// The flags by which a container shares namespaces, and what can't stand beside them.
@Suite struct NamespaceFlagsTests {
    private static func request(_ arguments: [String], _ change: (inout RunRequest) -> Void) {
        var expected = RunRequest(image: "alpine")
        change(&expected)
        #expect(Parsed.run(arguments + ["alpine"]) == .request(expected, warnings: []))
    }

    @Test func anothersNamespaces() {
        Self.request(["--network", "container:web", "--pid=container:a1", "--ipc=container:b", "--uts", "container:c"])
        {
            $0.isolation.network = .container("web")
            $0.isolation.networkAsked = true
            $0.isolation.pid = .container("a1")
            $0.isolation.ipc = .container("b")
            $0.isolation.uts = .container("c")
        }
        Self.request(["--ipc", "shareable"]) { $0.isolation.ipc = .shareable }
        Self.request(["--ipc", "none"]) { $0.isolation.ipc = .unmounted }
        Self.request(["--ipc", ""]) { _ in }
    }

    @Test func macAddressInTheHostsNetwork() {
        #expect(
            Parsed.run(["--network", "host", "--mac-address", "02:42:ac:11:00:02", "a"])
                == .refused("conflicting options: mac-address and the network mode", usage: false))
    }

    /// What would be set for the network of another container; the texts are docker's.
    @Test(arguments: [
        ("-h x", "hostname and the network mode"),
        ("--link a", "container type network can't be used with links. This would result in undefined behavior"),
        ("--dns 192.0.2.1", "dns and the network mode"), ("--dns-search x", "dns and the network mode"),
        ("--add-host a:192.0.2.1", "custom host-to-IP mapping and the network mode"),
        ("--mac-address 02:42:ac:11:00:02", "mac-address and the network mode"),
        ("-p 80:80", "port publishing and the container type network mode"),
        ("-P", "port publishing and the container type network mode"),
        ("--expose 80", "port exposing and the container type network mode"),
    ])
    func conflictsWithAnothersNetwork(_ line: String, _ what: String) {
        let arguments = ["--network", "container:web"] + line.split(separator: " ").map(String.init)
        #expect(Parsed.run(arguments + ["a"]) == .refused("conflicting options: \(what)", usage: false))
    }
}
