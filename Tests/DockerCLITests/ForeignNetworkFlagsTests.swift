import Engine
import OCI
import Testing

@testable import DockerCLI

/// Networks that somebody else makes: `--network ns:PATH` and `--network cni:NAME`.
@Suite struct ForeignNetworkFlagsTests {
    private func isolation(_ line: String) -> (mode: NetworkMode, networking: NetworkOptions?)? {
        guard case .request(let request, _) = Parsed.run(line.split(separator: " ").map(String.init) + ["a"]) else {
            return nil
        }
        return (request.isolation.network, request.networking)
    }

    @Test(arguments: ["ns:/run/netns/x", "ns:x", "ns:/run/a=b", "cni:front"])
    func aModeIsItsText(_ text: String) throws {
        let found = try #require(isolation("--network \(text)"))
        #expect(found.mode.rawValue == text && NetworkMode(rawValue: text) == found.mode)
        #expect(found.mode == (text.hasPrefix("ns:") ? .path(String(text.dropFirst(3))) : .cni("front")))
    }

    @Test func severalNetworksAreAskedInOrder() throws {
        let found = try #require(isolation("--network name=cni:a,ip=10.9.0.2 --network cni:b --network-alias x"))
        #expect(found.mode == .cni("a"))
        let endpoints = found.networking?.endpoints ?? []
        #expect(endpoints.map(\.network) == ["cni:a", "cni:b"])
        #expect(endpoints.first?.address == IPAddress("10.9.0.2") && endpoints.first?.aliases == ["x"])
    }

    @Test(arguments: [
        ("--network ns:", "invalid network mode: ns: takes the path of a network namespace, ns:PATH"),
        ("--network cni:", "invalid network mode: cni: takes the name of a network, cni:NAME"),
        ("--network name=ns:/x,alias=y", "options of a network cannot be used with --network ns:/x"),
        (
            "--network ns:/x --network b",
            "conflicting options: cannot attach both user-defined and non-user-defined network-modes"
        ),
        ("--network cni:a --network b", "conflicting options: cannot attach both CNI's and other networks"),
        ("--network b --network cni:a", "conflicting options: cannot attach both CNI's and other networks"),
        ("--network ns:/x -p 80", "conflicting options: port publishing and the ns network mode"),
        ("--network ns:/x -P", "conflicting options: port publishing and the ns network mode"),
        ("--network ns:/x --expose 80", "conflicting options: port exposing and the ns network mode"),
        (
            "--network ns:/x --mac-address 02:42:ac:11:00:02",
            "conflicting options: mac-address and the network mode"
        ),
    ])
    func refuses(_ line: String, _ message: String) {
        guard case .refused(let said, _) = Parsed.run(line.split(separator: " ").map(String.init) + ["a"]) else {
            Issue.record("\(line) is taken")
            return
        }
        #expect(said == message)
    }
}
