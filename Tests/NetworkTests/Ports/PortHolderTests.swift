import Glibc
import Network
import OCI
import Sys
import TestSupport
import Testing

/// The process that holds published ports, against real sockets.
@Suite(.enabled(if: PortBench.isPossible, "needs root and ip"))
struct PortHolderTests {
    private static let block = (0..<(1 << 20)).map { UInt8(truncatingIfNeeded: $0 &* 31 &+ $0 >> 9) }
    private static let bulk = Array(repeating: block, count: 24).flatMap { $0 }

    @Test func halfClosedConnectionsCarryBothWays() throws {
        try PortBench.isolated {
            let server = try Peer.listening("127.0.0.1", 80)
            let held = try HeldPorts([PortBench.mapping("8080", to: 80)])
            let client = try Peer.connected("127.0.0.1", 8080)
            let inner = try server.accept()
            let (clientFD, innerFD) = (client.fd.raw, inner.fd.raw)
            // One after the other: each end waits for the other's last byte.
            let first = try Work {
                try Peer(adopting: dup(clientFD)).send(Self.bulk)
                shutdown(clientFD, Int32(SHUT_WR))
            }
            #expect(try inner.receiveAll() == Self.bulk)
            try first.get()
            let second = try Work {
                try Peer(adopting: dup(innerFD)).send(Self.bulk)
                shutdown(innerFD, Int32(SHUT_WR))
            }
            #expect(try client.receiveAll() == Self.bulk)
            try second.get()
            #expect(try held.end() == .code(0))
        }
    }

    @Test func bothDirectionsAtOnce() throws {
        try PortBench.isolated {
            let server = try Peer.listening("127.0.0.1", 80)
            let held = try HeldPorts([PortBench.mapping("8080", to: 80)])
            let client = try Peer.connected("127.0.0.1", 8080)
            let inner = try server.accept()
            let (clientFD, innerFD) = (client.fd.raw, inner.fd.raw)
            let up = try Work {
                try Peer(adopting: dup(clientFD)).send(Self.bulk)
                shutdown(clientFD, Int32(SHUT_WR))
            }
            let down = try Work {
                try Peer(adopting: dup(innerFD)).send(Self.bulk)
                shutdown(innerFD, Int32(SHUT_WR))
            }
            let seen = try Work { try Peer(adopting: dup(innerFD)).receiveAll() == Self.bulk }
            #expect(try client.receiveAll() == Self.bulk)
            #expect(try seen.get())
            try up.get()
            try down.get()
            #expect(try held.end() == .code(0))
        }
    }

    @Test func thousandsOfShortConnectionsLeaveNothing() throws {
        try PortBench.isolated {
            let server = try Peer.listening("127.0.0.1", 80)
            let held = try HeldPorts([PortBench.mapping("8080", to: 80)])
            let before = held.descriptors
            let serverFD = dup(server.fd.raw)
            let echo = try Work {
                let server = Peer(adopting: serverFD)
                for _ in 0..<3000 {
                    let inner = try server.accept()
                    try inner.send(try inner.receive())
                }
            }
            for number in 0..<3000 {
                let client = try Peer.connected("127.0.0.1", 8080)
                let word = Array("number \(number)".utf8)
                try client.send(word)
                try #require(try client.receiveAll() == word)
            }
            try echo.get()
            #expect(Wait.until(seconds: 10) { held.descriptors == before }, "\(held.descriptors) of \(before)")
        }
    }

    @Test func whoDoesNotReadHoldsUpNobodyElse() throws {
        try PortBench.isolated {
            let server = try Peer.listening("127.0.0.1", 80)
            let held = try HeldPorts([PortBench.mapping("8080", to: 80)])
            let deaf = try Peer.connected("127.0.0.1", 8080)
            let pouring = try server.accept()
            _ = fcntl(pouring.fd.raw, F_SETFL, O_RDWR | O_NONBLOCK)
            // Until every buffer on the way is full, and stays so.
            var poured = 0
            var idle = 0
            while idle < 20 {
                let count = Self.block.withUnsafeBytes {
                    send(pouring.fd.raw, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL))
                }
                if count > 0 { poured += count }
                idle = count > 0 ? 0 : idle + 1
                if count <= 0 { Wait.sleep(0.01) }
            }
            let memory = try Self.memory(of: held.holder.pid)
            for _ in 0..<50 {
                let client = try Peer.connected("127.0.0.1", 8080)
                let inner = try server.accept()
                try client.send([1, 2, 3])
                #expect(try inner.receive() == [1, 2, 3])
            }
            // Nothing of it lies with the holder.
            #expect(poured > 1 << 20 && memory < 4 << 10, "\(poured) bytes, \(memory) kB")
            // One that was cut off reads all the same, to the last byte.
            shutdown(pouring.fd.raw, Int32(SHUT_WR))
            try deaf.finish()
            #expect(try deaf.receiveAll().count == poured)
        }
    }

    /// Private and written, in kB.
    private static func memory(of pid: Int32) throws -> Int {
        let text = String(decoding: try File.readAll("/proc/\(pid)/status"), as: UTF8.self)
        let line = text.split(separator: "\n").first { $0.hasPrefix("RssAnon:") }
        return line.flatMap { Int($0.split(separator: " ").dropLast().last ?? "") } ?? 0
    }

    /// A hang-up that is told again and again must not keep the process busy while the other end takes nothing.
    @Test func waitsWhereNothingCanBeDone() throws {
        try PortBench.isolated {
            let server = try Peer.listening("127.0.0.1", 80)
            let held = try HeldPorts([PortBench.mapping("8080", to: 80)])
            let client = try Peer.connected("127.0.0.1", 8080)
            let deaf = try server.accept()
            // The answer's end comes first, then more than fits, then the end: both ways of the client's socket are shut.
            try deaf.finish()
            _ = fcntl(client.fd.raw, F_SETFL, O_RDWR | O_NONBLOCK)
            var idle = 0
            var poured = 0
            while idle < 20 {
                let count = Self.block.withUnsafeBytes {
                    send(client.fd.raw, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL))
                }
                if count > 0 { poured += count }
                idle = count > 0 ? 0 : idle + 1
                if count <= 0 { Wait.sleep(0.01) }
            }
            try client.finish()
            // Switches that were not its own wish are those of one that is busy.
            Wait.sleep(0.1)
            let before = try Self.ticks(held.holder.pid)
            Wait.sleep(1)
            #expect(try Self.ticks(held.holder.pid) - before < 20)
            #expect(try deaf.receiveAll().count == poured)
        }
    }

    /// Of the processor, a hundredth of a second each.
    private static func ticks(_ pid: Int32) throws -> Int {
        let text = String(decoding: try File.readAll("/proc/\(pid)/stat"), as: UTF8.self)
        let fields = text.split(separator: ")").last?.split(separator: " ") ?? []
        return (Int(fields[11]) ?? 0) + (Int(fields[12]) ?? 0)
    }

    @Test func aRefusedConnectionIsReset() throws {
        try PortBench.isolated {
            let held = try HeldPorts([PortBench.mapping("8080", to: 81)])
            let client = try Peer.connected("127.0.0.1", 8080)
            #expect(throws: Errno.connectionReset) { try client.receive() }
            #expect(try held.end() == .code(0))
        }
    }

    @Test func aResetIsPassedOn() throws {
        try PortBench.isolated {
            let server = try Peer.listening("127.0.0.1", 80)
            let held = try HeldPorts([PortBench.mapping("8080", to: 80)])
            for fromClient in [true, false] {
                var client: Peer? = try Peer.connected("127.0.0.1", 8080)
                var inner: Peer? = try server.accept()
                var atOnce = linger(l_onoff: 1, l_linger: 0)
                let breaking = fromClient ? client?.fd.raw : inner?.fd.raw
                let length = socklen_t(MemoryLayout<linger>.size)
                setsockopt(try #require(breaking), SOL_SOCKET, SO_LINGER, &atOnce, length)
                if fromClient { client = nil } else { inner = nil }
                #expect(throws: Errno.connectionReset) { _ = try (fromClient ? inner?.receive() : client?.receive()) }
            }
            #expect(try held.end() == .code(0))
        }
    }

    @Test func version6LeadsToVersion4() throws {
        try PortBench.isolated {
            let server = try Peer.listening("127.0.0.1", 80)
            let held = try HeldPorts([PortBench.mapping("8080", to: 80, address: nil)])
            #expect(held.published.map { "\($0.address)" } == ["0.0.0.0", "::"])
            for address in ["127.0.0.1", "::1"] {
                let client = try Peer.connected(address, 8080)
                let inner = try server.accept()
                try client.send([7])
                #expect(try inner.receive() == [7])
            }
        }
    }

    @Test func datagramsComeBackToWhoAsked() throws {
        try PortBench.isolated {
            let server = try Peer.receiving("127.0.0.1", 53)
            let held = try HeldPorts([PortBench.mapping("5353", to: 53, .udp, address: nil)])
            // Several of one address, and several addresses of the host: an answer comes from where it was asked.
            let asked = ["127.0.0.1", "127.0.0.1", "127.0.0.5", "::1"]
            for round in 0..<20 {
                for (number, address) in asked.enumerated() {
                    let client = try Peer.connected(address, 5353, SOCK_DGRAM)
                    let word: [UInt8] = [UInt8(round), UInt8(number)]
                    try client.send(word)
                    try server.answerDatagram { $0 + [0xff] }
                    #expect(try client.receive() == word + [0xff])
                }
            }
            // One of the longest that there are.
            let client = try Peer.connected("127.0.0.1", 5353, SOCK_DGRAM)
            try client.send([UInt8](repeating: 5, count: 65_000))
            try server.answerDatagram { $0 }
            #expect(try client.receive().count == 65_000)
            #expect(try held.end() == .code(0))
        }
    }

    @Test func moreAddressesThanArePossibleTakeTheOldestsPlaces() throws {
        try PortBench.isolated {
            let server = try Peer.receiving("127.0.0.1", 53)
            let held = try HeldPorts([PortBench.mapping("5353", to: 53, .udp)])
            let before = held.descriptors
            for number in 0..<1500 {
                let client = try Peer.connected("127.0.0.1", 5353, SOCK_DGRAM)
                try client.send([UInt8(truncatingIfNeeded: number)])
                try server.answerDatagram { $0 }
                try #require(try client.receive() == [UInt8(truncatingIfNeeded: number)])
            }
            #expect(held.descriptors - before == 1024)
        }
    }

    @Test func withoutDescriptorsItWaitsForSome() throws {
        try PortBench.isolated {
            let server = try Peer.listening("127.0.0.1", 80)
            let held = try HeldPorts([PortBench.mapping("8080", to: 80)])
            // Room for one connection.
            let numbers = ((try? Directory.entries("/proc/\(held.holder.pid)/fd")) ?? []).compactMap { Int($0.name) }
            let most = rlim_t((numbers.max() ?? 0) + 3)
            var limit = rlimit(rlim_cur: most, rlim_max: most)
            try check { prlimit(held.holder.pid, __rlimit_resource(RLIMIT_NOFILE.rawValue), &limit, nil) }
            var open: [Holding] = []
            for _ in 0..<6 { open.append(Holding(try Peer.connected("127.0.0.1", 8080))) }
            for (number, client) in open.enumerated() {
                let word = [UInt8(number)]
                let fd = client.peer.fd.raw
                _ = word.withUnsafeBytes { send(fd, $0.baseAddress, 1, 0) }
                shutdown(fd, Int32(SHUT_WR))
            }
            // All are served in the end, some after others have gone.
            var seen: Set<[UInt8]> = []
            for _ in 0..<6 {
                let inner = try server.accept()
                seen.insert(try inner.receiveAll())
            }
            #expect(seen == Set((0..<6).map { [UInt8($0)] }))
        }
    }

    private final class Holding {
        let peer: Peer
        init(_ peer: consuming Peer) { self.peer = peer }
    }

    /// Nothing of the host's loopback, and not the container's own: a program that trusts 127.0.0.1 trusts nobody here.
    @Test func aStrangerIsNotTheContainerItself() throws {
        try PortBench.isolated {
            let namespace = try NetworkNamespace()
            let path = namespace.path.replacing("self", with: "\(getpid())")
            let enter = ["--net=\(path)", "ip"]
            try Tool.check("nsenter", enter + ["link", "set", "lo", "up"])
            try Tool.check("nsenter", enter + ["addr", "add", "10.1.2.3/32", "dev", "lo"])
            let server = try PortBench.inside(namespace) { try Peer.listening("0.0.0.0", 80) }
            let own = try #require(IPAddress("10.1.2.3"))
            let held = try HeldPorts(
                [PortBench.mapping("8080", to: 80)], to: PortTargets(version4: own), inside: namespace)
            let client = try Peer.connected("127.0.0.1", 8080)
            let inner = try server.accept()
            #expect(try inner.remote() == own)
            try client.send([9])
            #expect(try inner.receive() == [9])
            #expect(try File.readLink("/proc/\(held.holder.pid)/ns/net") == File.readLink(path))
        }
    }

    @Test func theContainersLastWordsArrive() throws {
        try PortBench.isolated {
            let server = try Peer.listening("127.0.0.1", 80)
            for _ in 0..<20 {
                let held = try HeldPorts([PortBench.mapping("8080", to: 80)])
                let client = try Peer.connected("127.0.0.1", 8080)
                let inner = try server.accept()
                try inner.send(Array("last words".utf8))
                #expect(try held.end() == .code(0))
                #expect(try client.receive() == Array("last words".utf8))
                #expect(throws: Errno.connectionRefused) { _ = try Peer.connected("127.0.0.1", 8080) }
            }
        }
    }

    @Test func stopsAndLeavesThePortsFree() throws {
        try PortBench.isolated {
            for _ in 0..<5 {
                let held = try HeldPorts([PortBench.mapping("8080", to: 80, address: nil)])
                try held.holder.stop()
                #expect(ProcessStatus.startTime(held.holder.pid) == nil)
                // Nothing is left to stop.
                try held.holder.stop()
            }
            // Another process that has the number now is none of ours.
            let other = try ChildProcess("/bin/sleep", ["3600"], environment: Tool.baseEnvironment)
            try PortHolder(pid: other.pid, startTime: 1).stop()
            #expect(ProcessStatus.startTime(other.pid) != nil)
        }
    }

    @Test func hasNoRightsAndNothingElseOpen() throws {
        try PortBench.isolated {
            let held = try HeldPorts([PortBench.mapping("8080", to: 80, address: nil)])
            let pid = held.holder.pid
            let status = String(decoding: try File.readAll("/proc/\(pid)/status"), as: UTF8.self)
            for line in [
                "CapEff:\t0000000000000000", "CapPrm:\t0000000000000000", "NoNewPrivs:\t1", "Name:\trunimg-ports",
            ] {
                #expect(status.contains("\(line)\n"), "\(line)")
            }
            #expect(try File.readLink("/proc/\(pid)/cwd") == "/")
            // 0 to 2, the container, two sockets and two epolls.
            #expect(held.descriptors == 8)
            let command = String(decoding: try File.readAll("/proc/\(pid)/cmdline"), as: UTF8.self)
            #expect(command == "runimg-ports\00123456789ab\0")
            #expect(getsid(pid) == pid)
        }
    }

    @Test func whatItCannotDoIsSaid() throws {
        try PortBench.isolated {
            let container = try ChildProcess("/bin/sleep", ["3600"], environment: Tool.baseEnvironment)
            let bound = try PortBinding.bind([PortBench.mapping("8080", to: 80)], for: PortBench.endpoint)
            do throws(NetworkError) {
                _ = try PortHolder.start(
                    bound, id: "x", to: PortBench.loopback, pidfd: container.exitDescriptor, executable: "/bin/true")
                Issue.record("no error")
            } catch {
                #expect("\(error)".hasSuffix("could not start: it ended without a word"), "\(error)")
            }
        }
    }
}
