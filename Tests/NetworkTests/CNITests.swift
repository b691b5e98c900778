import Glibc
import OCI
import Sys
import TestSupport
import Testing

@testable import Network

/// CNI's files and its protocol, with plugins that are shell scripts and write down what they are asked.
@Suite struct CNITests {
    private struct Bench {
        let scratch: Scratch
        var plugins: CNIPlugins { CNIPlugins(directories: [scratch("none"), scratch("bin")]) }

        init() throws {
            scratch = try Scratch()
            try scratch.directory("bin")
        }

        /// Writes down its environment and its input, then does what it is to do.
        func plugin(_ name: String, _ script: String) throws {
            let head = """
                #!/bin/sh
                echo "\(name) $CNI_COMMAND $CNI_IFNAME $CNI_NETNS" >> \(scratch("log"))
                cat > \(scratch("input-"))\(name)-$CNI_COMMAND
                """
            try scratch.file("bin/\(name)", "\(head)\n\(script)\n", mode: 0o755)
        }

        func attachment(_ plugins: String, _ offered: [String: JSONValue] = [:], version: String = "1.0.0") throws
            -> CNIAttachment
        {
            let text = #"{"cniVersion": "\#(version)", "name": "front", "plugins": [\#(plugins)]}"#
            return CNIAttachment(
                try CNINetwork(parsing: Array(text.utf8)), container: "abc", interface: "eth0", offered)
        }

        var log: [Substring] {
            String(decoding: (try? File.readAll(scratch("log"))) ?? [], as: UTF8.self).split(separator: "\n")
        }

        func input(_ plugin: String, _ command: String) throws -> JSONValue {
            try JSONValue(parsing: try File.readAll(scratch("input-\(plugin)-\(command)")))
        }

        func failure(_ attachment: CNIAttachment) -> String {
            var attachment = attachment
            do throws(NetworkError) {
                try plugins.add(&attachment, namespace: "/proc/self/ns/net")
                return ""
            } catch {
                return "\(error)"
            }
        }
    }

    private static let result = #"echo '{"cniVersion": "1.0.0", "ips": [{"address": "10.9.0.2/24"}]}'"#

    @Test func pluginsAreAskedInOrderAndTakenBackInTheOpposite() throws {
        let bench = try Bench()
        try bench.plugin("one", Self.result)
        try bench.plugin("two", #"echo '{"cniVersion": "1.0.0", "ips": [{"address": "10.9.0.3/24"}]}'"#)
        var attachment = try bench.attachment(
            #"{"type": "one", "own": {"a": [1, "b\"c"]}}, {"type": "two", "capabilities": {"mac": true, "x": false}}"#,
            ["mac": .string("02:00:00:00:00:01"), "x": .null, "ips": .array([])])
        try bench.plugins.add(&attachment, namespace: "/run/n")
        try bench.plugins.delete(attachment, namespace: nil)
        #expect(bench.log == ["one ADD eth0 /run/n", "two ADD eth0 /run/n", "two DEL eth0 ", "one DEL eth0 "])

        let first = try bench.input("one", "ADD")
        #expect(first["name"]?.string == "front" && first["cniVersion"]?.string == "1.0.0")
        #expect(first["own"] == .object(["a": .array([.number("1"), .string("b\"c")])]))
        #expect(first["prevResult"] == nil && first["runtimeConfig"] == nil)
        let second = try bench.input("two", "ADD")
        #expect(second["prevResult"]?["ips"]?.array?.first?["address"]?.string == "10.9.0.2/24")
        #expect(second["runtimeConfig"] == .object(["mac": .string("02:00:00:00:00:01")]))
        for plugin in ["one", "two"] {
            let last = try bench.input(plugin, "DEL")["prevResult"]
            #expect(last?["ips"]?.array?.first?["address"]?.string == "10.9.0.3/24")
        }
    }

    @Test func aPluginThatFailsKeepsNoOtherFromTakingBack() throws {
        let bench = try Bench()
        try bench.plugin("one", Self.result)
        try bench.plugin("two", #"[ $CNI_COMMAND = ADD ] || exit 3"#)
        let attachment = try bench.attachment(#"{"type": "one"}, {"type": "two"}, {"type": "absent"}"#)
        #expect(throws: NetworkError.self) { try bench.plugins.delete(attachment, namespace: nil) }
        #expect(bench.log == ["two DEL eth0 ", "one DEL eth0 "])
    }

    /// Before 0.4.0 there is none in DEL.
    @Test func anOldProtocolHasNoResultInItsEnd() throws {
        let bench = try Bench()
        try bench.plugin("one", Self.result)
        var attachment = try bench.attachment(#"{"type": "one"}"#, version: "0.3.1")
        try bench.plugins.add(&attachment, namespace: "/run/n")
        try bench.plugins.delete(attachment, namespace: nil)
        #expect(try bench.input("one", "DEL")["prevResult"] == nil)
    }

    @Test(arguments: [
        (#"echo '{"code": 11, "msg": "no room", "details": "full"}'; exit 1"#, "no room: full (code 11)"),
        ("echo hello", "it printed no result: hello"), ("true", "it printed no result: nothing"),
        ("echo '[]'", "it printed no result: []"),
        ("echo bad news >&2; exit 7", "it ended with exit code 7: bad news"),
        ("kill -9 $$", "it was ended by signal 9 and said nothing that CNI knows"),
        ("exec yes", "it printed more than 1048576 bytes"),
        ("printf '{\"code\": 5, \"msg\": \"a\\\\u001b[31mb\"}'; exit 1", "aU+001B[31mb (code 5)"),
    ])
    func aPluginsFailureIsSaid(_ script: String, _ words: String) throws {
        let bench = try Bench()
        try bench.plugin("one", script)
        #expect(
            bench.failure(try bench.attachment(#"{"type": "one"}"#))
                == "network cni:front: plugin one failed at ADD: \(words)")
    }

    @Test func aPluginThatIsNotThereIsSaid() throws {
        let bench = try Bench()
        #expect(
            bench.failure(try bench.attachment(#"{"type": "one"}"#))
                == "network cni:front: plugin one failed at ADD: there is no such program in "
                + "\(bench.scratch("none")) and \(bench.scratch("bin"))")
    }

    @Test func aPluginGetsNoOthersDescriptors() throws {
        let bench = try Bench()
        try bench.plugin("one", "ls /proc/self/fd | tr '\\n' ' ' > \(bench.scratch("fds")); \(Self.result)")
        let other = try File.open("/dev/null", O_RDONLY)
        var attachment = try bench.attachment(#"{"type": "one"}"#)
        try bench.plugins.add(&attachment, namespace: "/run/n")
        _ = consume other
        // The last is that of ls itself.
        #expect(String(decoding: try File.readAll(bench.scratch("fds")), as: UTF8.self) == "0 1 2 3 ")
    }

    @Test func aResultTellsWhatIsTheContainers() throws {
        let bench = try Bench()
        let answer = """
            {"interfaces": [{"name": "br0", "mac": "02:00:00:00:00:09"},
            {"name": "eth0", "mac": "02:00:00:00:00:01", "sandbox": "/x"}],
            "ips": [{"address": "fd00::2/64", "gateway": "fd00::1", "interface": 1}, {"address": "10.9.0.1/24", "interface": 0},
            {"version": "4", "address": "10.9.0.2/24", "gateway": "10.9.0.1", "interface": 1}, {"address": "x"}],
            "dns": {"nameservers": ["192.0.2.1", "y"], "search": ["a.example"], "options": ["ndots:2"]}}
            """
        try bench.plugin("one", "cat <<'END'\n\(answer)\nEND")
        var attachment = try bench.attachment(#"{"type": "one"}"#)
        try bench.plugins.add(&attachment, namespace: "/run/n")
        let result = CNIResult(attachment)
        #expect(result.addresses.map { "\($0)" } == ["10.9.0.2/24", "fd00::2/64"])
        #expect(result.gateways.map { "\($0)" } == ["fd00::1", "10.9.0.1"])
        #expect(result.mac.map { "\($0)" } == "02:00:00:00:00:01")
        #expect(result.servers.map { "\($0)" } == ["192.0.2.1"])
        #expect(result.search == ["a.example"] && result.options == ["ndots:2"])
    }

    @Test(arguments: [
        ("{", "not JSON at byte 1"), ("[]", "it is not an object"), (#"{"type": "a"}"#, "it has no name"),
        (#"{"name": "../x", "cniVersion": "1.0.0", "type": "a"}"#, "it has no name"),
        (#"{"name": "x", "cniVersion": "1.0.0"}"#, "it names no plugins"),
        (#"{"name": "x", "cniVersion": "1.0.0", "plugins": []}"#, "it names no plugins"),
        (#"{"name": "x", "cniVersion": "1.0.0", "plugins": [{"type": "../a"}]}"#, "one of its plugins has no type"),
        (
            #"{"name": "x", "type": "a"}"#,
            "its cniVersion is 0.1.0, which is not one of 0.3.0, 0.3.1, 0.4.0, 1.0.0, 1.1.0"
        ),
    ])
    func aFileThatIsWrongIsSaid(_ text: String, _ words: String) throws {
        let scratch = try Scratch()
        try scratch.file("net/10.conf", text)
        let configurations = CNIConfigurations(directory: scratch("net"))
        var problems: [String] = []
        #expect(configurations.all { problems.append($0) } == [])
        #expect(problems == ["\(scratch("net"))/10.conf: \(words)"])
    }

    @Test func filesAreReadByTheirNames() throws {
        let scratch = try Scratch()
        func write(_ file: String, _ name: String, _ type: String) throws {
            try scratch.file("net/\(file)", #"{"name": "\#(name)", "cniVersion": "1.0.0", "type": "\#(type)"}"#)
        }
        try write("20.conf", "a", "late")
        try write("10.json", "a", "early")
        try write("30.txt", "b", "x")
        let configurations = CNIConfigurations(directory: scratch("net"))
        #expect(configurations.all().map(\.file) == ["\(scratch("net"))/10.json"])
        #expect(configurations.all().first?.network.plugins.first?["type"]?.string == "early")
        #expect(CNIConfigurations(directory: scratch("absent")).all().isEmpty)
    }

    /// What is kept must be what was read: by it the end is made.
    @Test func jsonIsWrittenAsItWasRead() throws {
        let text = "{\"a\":[1.50,-2e3,true,false,null],\"b\":{},\"c\":\"\\u0001\\\"\\\\/é\"}"
        let value = try JSONValue(parsing: Array(text.utf8))
        #expect(value.text == text)
        #expect(try JSONValue(parsing: Array(value.text.utf8)) == value)
    }
}

/// Namespaces by path.
@Suite(.enabled(if: PrivateNetwork.isPossible, "\(PrivateNetwork.requirements)"))
struct NamespacePathTests {
    private func failure(_ path: String) -> String {
        do throws(NetworkError) {
            _ = try NetworkNamespace(at: path)
            return ""
        } catch {
            return "\(error)"
        }
    }

    @Test func oneThatIsThereIsEntered() throws {
        let other = try PrivateNetwork()
        try other.run("ip", "link", "add", "mark0", "type", "bridge")
        let namespace = try NetworkNamespace(at: "/proc/\(other.pid)/ns/net")
        let hasMark = try namespace.perform { () throws(NetworkError) in
            var socket = try RouteSocket()
            return try socket.link(named: "mark0") != nil
        }
        #expect(hasMark)
    }

    @Test func whatIsNoneIsSaid() throws {
        let scratch = try Scratch()
        let file = try scratch.file("x", "")
        #expect(mkfifo(scratch("pipe"), 0o600) == 0)
        #expect(failure(file) == "the network namespace \(file) can't be joined: it is no namespace")
        #expect(failure(scratch("pipe")).hasSuffix("it is no namespace"))
        #expect(failure("/proc/self/ns/uts").hasSuffix("it is a namespace of another kind"))
        #expect(failure(scratch("absent")).contains("can't be joined: \(Errno.noEntry)"))
    }
}
