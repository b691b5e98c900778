import Glibc
import Network
import OCI
import Sys
import TestSupport
import Testing

/// Which ports of a host are taken, and what is said where they can't be.
@Suite(.enabled(if: PortBench.isPossible, "needs root and ip"))
struct PortBindingTests {
    private static func bound(_ mappings: [PortMapping]) throws -> [String] {
        let bound = try PortBinding.bind(mappings, for: PortBench.endpoint)
        return bound.published.map { "\($0.address.text):\($0.hostPort)->\($0.port)" }
    }

    private static func failure(_ mapping: PortMapping, kernel: Bool = false) throws -> PortFailure {
        var endpoint = PortBench.endpoint
        endpoint.isServedByKernel = kernel
        do throws(NetworkError) {
            _ = try PortBinding.bind([mapping], for: endpoint)
        } catch .port(let failure) {
            return failure
        }
        throw Errno(rawValue: ECANCELED)
    }

    @Test func allAddressesUnlessOneIsNamed() throws {
        try PortBench.isolated {
            #expect(
                try Self.bound([PortBench.mapping("8080", to: 80, address: nil)]) == [
                    "0.0.0.0:8080->80/tcp", "[::]:8080->80/tcp",
                ])
            #expect(
                try Self.bound([PortBench.mapping("53", to: 53, .udp, address: "::1")]) == ["[::1]:53->53/udp"])
            let twice = PortBench.mapping("8080", to: 80)
            #expect(try Self.bound([twice, twice]) == ["127.0.0.1:8080->80/tcp"])
            // A host without version 6.
            try PortBench.set("/proc/sys/net/ipv6/conf/lo/disable_ipv6", "1")
            let named = try Self.failure(PortBench.mapping("8080", to: 80, address: "::1"))
            #expect("\(named)".contains("cannot assign requested address"), "\(named)")
        }
    }

    @Test func aRangeGivesItsFirstFreeOne() throws {
        try PortBench.isolated {
            let taken = try Peer.listening("127.0.0.1", 8000)
            let range = PortBench.mapping("8000-8002", to: 80)
            #expect(try Self.bound([range, range]) == ["127.0.0.1:8001->80/tcp", "127.0.0.1:8002->80/tcp"])
            let full = try Self.failure(PortBench.mapping("8000-8000", to: 80))
            #expect(full.errno == .addressInUse && full.hostPort == 8000)
            _ = consume taken
        }
    }

    @Test func anyPortIsOneOfTheKernelsRange() throws {
        try PortBench.isolated {
            try PortBench.set("/proc/sys/net/ipv4/ip_local_port_range", "40000 40003")
            let taken = try Peer.listening("::1", 40_001)
            let any = PortBench.mapping("", to: 80, address: nil)
            #expect(
                try Self.bound([any, any]) == [
                    "0.0.0.0:40000->80/tcp", "[::]:40000->80/tcp", "0.0.0.0:40002->80/tcp", "[::]:40002->80/tcp",
                ])
            do throws(NetworkError) {
                _ = try PortBinding.bind([any, any, any, any], for: PortBench.endpoint)
                Issue.record("no error")
            } catch {
                #expect("\(error)".hasSuffix("all ports are allocated, from 40000 to 40003"), "\(error)")
            }
            _ = consume taken
        }
    }

    @Test func whoHasThePortIsNamed() throws {
        try PortBench.isolated {
            let taken = try Peer.listening("127.0.0.1", 8080)
            var failure = try Self.failure(PortBench.mapping("8080", to: 80, address: nil))
            #expect(
                "\(failure)"
                    == "driver failed programming external connectivity on endpoint web: failed to bind host port for "
                    + "0.0.0.0:8080:10.1.2.3:80/tcp: address already in use")
            failure.owner = PortOwner.of(8080, .tcp)
            guard case .process(_, getpid()) = failure.owner else {
                Issue.record("\(String(describing: failure.owner))")
                return
            }
            #expect("\(failure)".hasSuffix(", process \(getpid()))"), "\(failure)")
            _ = consume taken
            let datagrams = try Peer.receiving("127.0.0.1", 8080)
            guard case .process(_, getpid()) = PortOwner.of(8080, .udp) else {
                Issue.record("\(String(describing: PortOwner.of(8080, .udp)))")
                return
            }
            #expect(PortOwner.of(8080, .tcp) == nil)
            _ = consume datagrams
        }
    }

    @Test func anotherContainerIsNamed() throws {
        try PortBench.isolated {
            let held = try HeldPorts([PortBench.mapping("8080", to: 80), PortBench.mapping("8080", to: 80, .udp)])
            for transport in [PortProtocol.tcp, .udp] {
                var failure = try Self.failure(PortBench.mapping("8080", to: 80, transport))
                failure.owner = PortOwner.of(8080, transport)
                #expect(failure.owner == .container("0123456789ab"))
                #expect(
                    "\(failure)".hasSuffix(
                        "Bind for 127.0.0.1:8080 failed: port is already allocated (by container 0123456789ab)"))
            }
            _ = held
        }
    }

    @Test func addressesOfOthersAreRefused() throws {
        try PortBench.isolated {
            let failure = try Self.failure(PortBench.mapping("8080", to: 80, address: "192.0.2.1"))
            #expect(
                "\(failure)".hasSuffix(
                    "failed to bind host port for 192.0.2.1:8080:10.1.2.3:80/tcp: cannot assign requested address "
                        + "(no interface of this host has 192.0.2.1)"))
        }
    }

    @Test func sctpIsTheKernels() throws {
        try PortBench.isolated {
            let failure = try Self.failure(PortBench.mapping("8080", to: 80, .sctp))
            #expect("\(failure)".contains("SCTP is led to containers by the firewall only"), "\(failure)")
            var endpoint = PortBench.endpoint
            endpoint.isServedByKernel = true
            let bound = try PortBinding.bind([PortBench.mapping("8080", to: 80, .sctp)], for: endpoint)
            #expect(bound.published.map(\.hostPort) == [8080])
        }
    }

    @Test func nothingIsLeftOfAFailure() throws {
        try PortBench.isolated {
            let taken = try Peer.listening("127.0.0.1", 8081)
            let both = [PortBench.mapping("8080", to: 80), PortBench.mapping("8081", to: 81)]
            #expect(throws: NetworkError.self) { try PortBinding.bind(both, for: PortBench.endpoint) }
            _ = consume taken
            #expect(try Self.bound(both).count == 2)
        }
    }

    /// More than a process may have open by itself.
    @Test func manyPortsAtOnce() throws {
        try PortBench.isolated {
            let many = (10_000..<11_500).map { PortBench.mapping("\($0)", to: UInt16($0), address: nil) }
            let server = try Peer.listening("127.0.0.1", 11_499)
            var before = rlimit()
            getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &before)
            let held = try HeldPorts(many.filter { $0.port.number != 11_499 } + [PortBench.mapping("9999", to: 11_499)])
            #expect(held.published.count == 2 * 1499 + 1)
            let client = try Peer.connected("127.0.0.1", 9999)
            let inner = try server.accept()
            try client.send([1])
            #expect(try inner.receive() == [1])
            var after = rlimit()
            getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &after)
            #expect(after.rlim_cur == before.rlim_cur)
        }
    }
}
