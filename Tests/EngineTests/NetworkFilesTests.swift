import Glibc
import OCI
import Sys
import TestSupport
import Testing

@testable import Engine

/// /etc/hosts and /etc/resolv.conf of containers.
@Suite struct NetworkFilesTests {
    private static let network = String(repeating: "1", count: 64)

    private static func peer(_ number: Int, _ names: String...) -> PeerLine {
        let digits = String(number, radix: 16)
        let container = String(repeating: "c", count: 12 - digits.count) + digits + String(repeating: "0", count: 52)
        return PeerLine(
            address: IPAddress(0x0a09_0000 + UInt32(number)), names: names, network: network, container: container)
    }

    private static func mark(_ number: Int) -> String {
        let digits = String(number, radix: 16)
        return " # runimg 111111111111/" + String(repeating: "c", count: 12 - digits.count) + digits
    }

    @Test func hostsOfAContainer() throws {
        var hosts = HostsText()
        hosts.extra = [
            ExtraHost(name: "a", address: IPAddress("192.0.2.1")), ExtraHost(name: "gate", address: nil),
            ExtraHost(name: "bad name", address: IPAddress("192.0.2.1")),
        ]
        #expect(hosts.text == HostsText.standard + "192.0.2.1\ta\n")
        hosts.gateway = IPAddress("10.9.0.1")
        hosts.names = ["box.example", "box"]
        hosts.addresses = [IPAddress("10.9.0.2"), IPAddress("fd00::2")].compactMap(\.self)
        hosts.peers = [Self.peer(3, "web", "x\n10.0.0.1 evil", "www")]
        #expect(
            hosts.text == HostsText.standard + "192.0.2.1\ta\n10.9.0.1\tgate\n10.9.0.2\tbox.example box\n"
                + "fd00::2\tbox.example box\n10.9.0.3\tweb www\(Self.mark(3))\n")
        hosts = HostsText(base: "1.2.3.4 host")
        hosts.names = ["box"]
        hosts.addresses = [IPAddress("10.9.0.2")].compactMap(\.self)
        #expect(hosts.text == "1.2.3.4 host\n10.9.0.2\tbox\n")
    }

    @Test func resolversOfAContainer() throws {
        let host = """
            # comment
            nameserver 127.0.0.1
            nameserver 192.0.2.53
            nameserver ::1
            nameserver fe80::1%eth0
            nameserver 2001:db8::53
            search a.example b.example
            options ndots:2 edns0
            sortlist 10.0.0.0
            """
        func bridged(
            _ text: String, resolved: String? = nil, _ change: (inout DNSOptions) -> Void = { _ in }
        ) -> String {
            var asked = DNSOptions()
            change(&asked)
            return GeneratedFileWriter.bridged(text, asked, localResolver: resolved)
        }
        let rest = "options ndots:2 edns0\nsortlist 10.0.0.0\n"
        #expect(
            bridged(host) == "nameserver 192.0.2.53\nnameserver 2001:db8::53\nsearch a.example b.example\n\(rest)")
        #expect(
            bridged(host) {
                $0.servers = [IPAddress("127.0.0.1")].compactMap(\.self)
                $0.search = ["."]
                $0.options = ["x"]
            } == "nameserver 127.0.0.1\noptions x\nsortlist 10.0.0.0\n")
        let local = "nameserver 127.0.0.53\nsearch s\n"
        #expect(bridged(local, resolved: "nameserver 192.0.2.1\nsearch t\n") == "nameserver 192.0.2.1\nsearch t\n")
        let text = bridged(local)
        #expect(text.hasSuffix("\nnameserver 8.8.8.8\nnameserver 8.8.4.4\nsearch s\n"))
        #expect(text.hasPrefix("# ") && text.contains("--dns") && !bridged(host).contains("#"))
        var mine = DNSOptions()
        mine.search = ["mine"]
        var general = DNSOptions()
        general.search = ["general"]
        general.options = ["o"]
        #expect(mine.completed(by: general).search == ["mine"] && mine.completed(by: general).options == ["o"])
    }

    private static func edited(_ text: String, _ body: (String) throws -> Void) throws -> String {
        let scratch = try Scratch()
        let path = try scratch.file("hosts", text)
        let before = try File.status(path)
        try body(path)
        // The same file: it is mounted in the container.
        #expect(try File.status(path).isSameFile(as: before))
        return String(decoding: try File.readAll(path), as: UTF8.self)
    }

    @Test func peersComeAndGo() throws {
        let base = "127.0.0.1\tlocalhost\n10.0.0.1 mine"
        let text = try Self.edited(base) { path in
            try NetworkHosts.add(Self.peer(2, "web"), to: path)
            try NetworkHosts.add(Self.peer(2, "web"), to: path)
            try NetworkHosts.add(Self.peer(3, "db"), to: path)
            var moved = Self.peer(3, "db")
            moved.address = IPAddress(0x0a09_0009)
            try NetworkHosts.add(moved, to: path)
            try NetworkHosts.remove(container: Self.peer(2).container, network: Self.network, from: path)
            try NetworkHosts.remove(container: Self.peer(4).container, network: Self.network, from: path)
            try NetworkHosts.remove(container: moved.container, network: String(repeating: "2", count: 64), from: path)
        }
        #expect(
            text == "\(base)\n#0.9.0.2\tweb\(Self.mark(2))\n#0.9.0.3\tdb\(Self.mark(3))\n10.9.0.9\tdb\(Self.mark(3))\n")
    }

    @Test(
        "A file of whatever content keeps it but for our lines",
        arguments: [
            "", "\n\n", "\u{0}\u{0}\n#", "10.9.0.2\tweb # runimg 111111111111/", " # runimg 111111111111/cccccccccccc",
            String(repeating: "x", count: 70_000), "# runimg 111111111111/ccccccccccc2\n",
            "10.0.0.1 a # runimg 222222222222/ccccccccccc2\n",
        ])
    func hostileContents(_ content: String) throws {
        let text = try Self.edited(content) { path in
            try NetworkHosts.add(Self.peer(2, "web"), to: path)
            try NetworkHosts.remove(container: Self.peer(2).container, network: Self.network, from: path)
            try NetworkHosts.add(Self.peer(3, "db"), to: path)
        }
        #expect(text.hasPrefix(content) && text.hasSuffix("\n10.9.0.3\tdb\(Self.mark(3))\n"))
    }

    @Test func deadLinesAreRemovedAtLast() throws {
        let long = String(repeating: "x", count: 1000)
        let lines = (0..<100).map { "10.9.0.1\t\(long)\($0)" + ($0 % 50 == 7 ? "" : Self.mark($0)) + "\n" }
        let before = "first\n" + lines.joined() + "last"
        let text = try Self.edited(before) { path in
            for number in 0..<80 {
                try NetworkHosts.remove(container: Self.peer(number).container, network: Self.network, from: path)
            }
        }
        #expect(text.utf8.count < before.utf8.count - NetworkHosts.deadLimit)
        let kept = text.split(separator: "\n").filter { !$0.hasPrefix("#") }
        #expect(kept.first == "first" && kept.last == "last" && text.hasSuffix("\nlast"))
        // Twenty that are there, and two that are not ours.
        #expect(kept.count == 2 + 20 + 2 && kept.contains("10.9.0.1\t\(long)7") && kept.contains("10.9.0.1\t\(long)57"))
    }

    @Test("A link, a pipe or a huge file in the hosts file's place is left alone") func otherFiles() throws {
        let scratch = try Scratch()
        let kept = try scratch.file("kept", "kept\n")
        try File.symlink(kept, scratch("link"))
        #expect(throws: EngineError.self) { try NetworkHosts.add(Self.peer(2, "web"), to: scratch("link")) }
        try check { mkfifo(scratch("pipe"), 0o600) }
        try? NetworkHosts.add(Self.peer(2, "web"), to: scratch("pipe"))
        let large = try scratch.file("large", String(repeating: "x\n", count: 600_000))
        try NetworkHosts.add(Self.peer(2, "web"), to: large)
        #expect(try File.status(large).size == 1_200_000)
        #expect(try File.readAll(kept) == Array("kept\n".utf8))
    }

    @Test("A reader never sees half a line") func readersSeeWholeLines() throws {
        let scratch = try Scratch()
        let path = try scratch.file("hosts", "127.0.0.1\tlocalhost\n")
        let changes = try JoinableThread {
            for round in 0..<400 {
                try? NetworkHosts.add(Self.peer(round % 7, "name-of-\(round % 7)", "another-name"), to: path)
                try? NetworkHosts.remove(
                    container: Self.peer((round + 3) % 7).container, network: Self.network, from: path)
            }
        }
        var wrong: [String] = []
        for _ in 0..<2000 {
            let text = String(decoding: try File.readAll(path), as: UTF8.self)
            wrong += text.split(separator: "\n").map(String.init).filter { line in
                !line.hasPrefix("#") && line != "127.0.0.1\tlocalhost"
                    && line.wholeMatch(
                        of: #/10\.9\.0\.[0-6]\tname-of-[0-6] another-name # runimg 1{12}/c{11}[0-6]/#) == nil
            }
            if !text.hasSuffix("\n") { wrong.append(text) }
        }
        changes.join()
        #expect(wrong.isEmpty, "\(wrong.prefix(3))")
    }
}
