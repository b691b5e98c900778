import OCI
import Testing

/// `config.json`, from texts.
@Suite struct SpecReadingTests {
    static let least = #"{"ociVersion":"1.0.2","root":{"path":"rootfs"},"process":{"args":["sh"],"cwd":"/"}}"#

    /// `least` with `value` at the place that `path` names: `linux.resources.memory`.
    static func text(_ path: String, _ value: String, in base: String = least) throws -> [UInt8] {
        var tree = try JSONValue(parsing: Array(base.utf8))
        let new = try JSONValue(parsing: Array(value.utf8))
        func put(_ keys: ArraySlice<Substring>, _ node: inout JSONValue) {
            guard let key = keys.first else {
                node = new
                return
            }
            var members = node.object ?? [:]
            var member = members[String(key)] ?? .object([:])
            put(keys.dropFirst(), &member)
            members[String(key)] = member
            node = .object(members)
        }
        put(path.split(separator: ".")[...], &tree)
        return Array(SpecReadingTests.text(tree).utf8)
    }

    private static func text(_ value: JSONValue) -> String {
        switch value {
        case .null: "null"
        case .bool(let value): "\(value)"
        case .number(let text): text
        case .string(let text): "\"\(text.replacing("\u{0}", with: "\\u0000"))\""
        case .array(let values): "[\(values.map(text).joined(separator: ","))]"
        case .object(let members):
            "{\(members.map { "\"\($0.key)\":\(text($0.value))" }.joined(separator: ","))}"
        }
    }

    @Test func theLeastThereCanBe() throws {
        let spec = try Spec(reading: Array(SpecReadingTests.least.utf8))
        var expected = Spec(process: Spec.Process(args: ["sh"]), root: Spec.Root(path: "rootfs"))
        expected.ociVersion = "1.0.2"
        #expect(spec == expected)
        #expect(spec.hasProcess)
    }

    @Test func aProcessMayBeMissing() throws {
        let spec = try Spec(reading: Array(#"{"ociVersion":"1.0.0","root":{"path":"r"},"process":null}"#.utf8))
        #expect(!spec.hasProcess && spec.process.args.isEmpty)
        #expect(try Spec(reading: spec.json) == spec)
    }

    @Test(arguments: ["1.0.0", "1.0.2-dev", "1.2.0+dev", "1.3.0", "1.0.0-rc5", "1.99.1-rc.1+x.y"])
    func versionsOfTheFirstMajorOne(version: String) throws {
        #expect(try Spec(reading: SpecReadingTests.text("ociVersion", "\"\(version)\"")).ociVersion == version)
    }

    @Test func unknownMembersAndNullsArePassedOver() throws {
        let text = #"""
            {"ociVersion":"1.0.2","future":{"a":[1]},"root":{"path":"rootfs","readonly":null},"hostname":"","hooks":null,
             "process":{"args":["sh"],"cwd":"/","env":null,"commandLine":"x","user":{"username":"ContainerUser"},
             "capabilities":null,"apparmorProfile":""},
             "mounts":null,"windows":{"layerFolders":[]},"vm":{},"zos":{},"solaris":{},
             "linux":{"resources":null,"cgroupsPath":"","netDevices":{},"memoryPolicy":null,"namespaces":[{"type":"pid","path":""}]}}
            """#
        var expected = try Spec(reading: Array(SpecReadingTests.least.utf8))
        expected.linux.namespaces = [Spec.Namespace(.pid)]
        #expect(try Spec(reading: Array(text.utf8)) == expected)
    }

    @Test func numbersAsOthersWriteThem() throws {
        func limit(_ number: String) throws -> Int64? {
            let text = try SpecReadingTests.text("linux.resources.memory.limit", number)
            return try Spec(reading: text).linux.resources.memory?.limit
        }
        #expect(try limit("-1") == -1)
        #expect(try limit("1e6") == 1_000_000)
        #expect(try limit("5.0") == 5)
        #expect(try limit("9223372036854775807") == .max)
        #expect(try limit("-9223372036854775808") == .min)
        let infinite = #"[{"type":"RLIMIT_CORE","soft":18446744073709551615,"hard":18446744073709551615}]"#
        let rlimits = try Spec(reading: SpecReadingTests.text("process.rlimits", infinite)).process.rlimits
        #expect(rlimits == [Spec.Rlimit(type: "RLIMIT_CORE", soft: .max, hard: .max)])
    }

    @Test func aProcessOfItsOwn() throws {
        let text = #"""
            {"terminal":true,"consoleSize":{"height":25,"width":80},"cwd":"/tmp","args":["ls","-l"],"env":["A=b","C="],
             "user":{"uid":1,"gid":2,"umask":63,"additionalGids":[5,6]},"capabilities":{"ambient":["CAP_NEW_ONE"]},
             "noNewPrivileges":true,"selinuxLabel":"l","apparmorProfile":"p","execCPUAffinity":{"initial":"0-2,7","final":"1"}}
            """#
        let process = try Spec.Process(reading: Array(text.utf8))
        var expected = Spec.Process(args: ["ls", "-l"])
        expected.terminal = true
        expected.consoleSize = Spec.ConsoleSize(height: 25, width: 80)
        expected.cwd = "/tmp"
        expected.env = ["A=b", "C="]
        expected.user = Spec.User(uid: 1, gid: 2, additionalGids: [5, 6])
        expected.user.umask = 63
        expected.capabilities.ambient = ["CAP_NEW_ONE"]
        expected.noNewPrivileges = true
        (expected.selinuxLabel, expected.apparmorProfile) = ("l", "p")
        expected.execCPUAffinity = Spec.CPUAffinity(initial: "0-2,7", final: "1")
        #expect(process == expected)
        #expect(try Spec.Process(reading: process.json) == process)
        do throws(FieldFault) {
            _ = try Spec.Process(reading: Array(#"{"args":["x"],"cwd":"/","user":{"uid":-1}}"#.utf8))
            Issue.record("accepted")
        } catch {
            #expect(error.description == "user.uid: -1 is not between 0 and 4294967295")
        }
    }

    @Test func sizeAndDepthAreBounded() {
        let large = [UInt8](repeating: 0x20, count: Spec.maximumSize + 1)
        #expect(throws: FieldFault("", "more than 16777216 bytes")) { try Spec(reading: large) }
        let deep = Array(String(repeating: "[", count: 100).utf8)
        #expect(throws: FieldFault("", "nested deeper than 64 levels")) { try Spec(reading: deep) }
    }

    /// A text that differs from a good one in one byte is read or refused, and never more than that.
    @Test func damagedTextsDoNoHarm() throws {
        let bytes = SpecRoundTripTests.full.json
        let changes: [UInt8] = [0x00, 0x22, 0x39, 0x7b]
        for index in bytes.indices where bytes[index] != UInt8(ascii: "\t") {
            var damaged = bytes
            damaged[index] = changes[index % changes.count]
            _ = try? Spec(reading: damaged)
        }
    }
}
