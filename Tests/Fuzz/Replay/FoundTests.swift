import DockerCLI
import OCI
import Sys
import TestSupport
import Testing

@testable import Layers
@testable import Registry

/// What the fuzzers found, each with its smallest case.
@Suite struct FoundTests {
    @Test("Z1: a sparse file's name counts before a GNU long name, as in Go")
    func sparseName() throws {
        let tar = TarForge.make { tar in
            tar.long("L", "from-long")
            tar.pax([
                ("GNU.sparse.major", "0"), ("GNU.sparse.minor", "1"), ("GNU.sparse.name", "from-sparse"),
                ("GNU.sparse.size", "3"), ("GNU.sparse.numblocks", "1"), ("GNU.sparse.map", "0,3"),
            ])
            tar.file("f", "abc")
        }
        let limits = ExtractionLimits()
        let disk = try Directory.open("/")
        let budget = ExpansionBudget(disk.raw, limits: limits, compressedSize: Int64(tar.count))
        var reader = TarReader(TarInput(BufferedChunks(MemorySource(tar)), budget: budget), limits: limits)
        #expect(try reader.next().map { String(decoding: $0.name, as: UTF8.self) } == "from-sparse")
    }

    @Test("Z3: layers for overlayfs and layers one onto the other are one tree", arguments: mergedAlike)
    func sameTree(_ name: String) throws {
        guard Conditions.isRoot else { return }
        let path = "\(PackageTree.root)/Tests/Fuzz/Corpora/Z3/crash-\(name)"
        try WhiteoutFuzz.run(try File.readAll(path))
    }

    static let mergedAlike = [
        // The directory above one that is made on the way keeps its times.
        "time-above-an-implied-directory",
        // A file gives way to a directory that an upper layer needs.
        "file-below-where-a-directory-is-needed",
        // A link that was followed is hidden afterwards: the way through it is forgotten.
        "link-below-hidden-after-it-was-followed",
        // What a layer links to is that layer's too.
        "hard-link-target-whited-out",
        // A whiteout below a directory that is whited out itself.
        "whiteout-on-the-way-to-nothing",
        // What this layer makes where the layers below have a link that was followed.
        "directory-hides-a-link-that-was-followed", "link-hides-a-link-that-was-followed",
    ]

    @Test(
        "Z4: a config without diff_ids is the same to the reader of warm starts", arguments: ["", #","diff_ids":null"#])
    func configWithoutLayers(_ diffIDs: String) throws {
        let text = #"{"architecture":"amd64","os":"linux","rootfs":{"type":"layers"\#(diffIDs)}}"#
        let config = try ImageConfig.decode(Array(text.utf8))
        #expect(ImageConfig(try JSONValue(parsing: Array(text.utf8))) == config)
    }

    @Test(
        "Z4: JSON that only a lazy decoder takes is refused",
        arguments: [
            "{\"a\":\"\n\"}", #"{"a":"\x"}"#, #"{"a":"\u12g4"}"#, #"{"a":-}"#, #"{"a":01}"#, #"{"a":1.}"#, #"{"a":.5}"#,
            #"{"a":1e}"#, #"{"a":+1}"#, #"{"a":1-2}"#, #"{"a":"\"#,
        ])
    func formOfUnusedValues(_ text: String) {
        #expect(throws: JSONFault.self) { try BoundedJSON.scan(Array(text.utf8)) }
    }

    @Test("Z4: whole numbers of any spelling are the same to the reader of warm starts")
    func spellingsOfNumbers() throws {
        let check = #""Healthcheck":{"Interval":1e9,"Timeout":5.0,"Retries":3E0}"#
        let text = #"{"architecture":"a","os":"l","config":{\#(check)},"rootfs":{"type":"layers"}}"#
        let config = try ImageConfig.decode(Array(text.utf8))
        #expect(config.config?.healthcheck?.interval == 1_000_000_000)
        #expect(ImageConfig(try JSONValue(parsing: Array(text.utf8))) == config)
    }

    @Test("Z4: numbers and escapes of JSON are accepted")
    func goodForms() throws {
        let text = #"{"a":[0,-0,10,1.5,1e5,2E-7,-3.25e+10],"b":"\"\\\/\b\f\n\r\t\u00e9\ud83d\ude00"}"#
        try BoundedJSON.scan(Array(text.utf8))
    }

    @Test("Z5: a wrong digest's message draws nothing on a terminal")
    func digestMessage() {
        for text in ["sha256:\u{1b}[2J", "md5\u{1b}:x", "\u{1b}]0;x\u{7}"] {
            do {
                _ = try Digest(parsing: text)
                Issue.record("accepted \(text)")
            } catch {
                #expect(!error.description.utf8.contains { $0 < 0x20 }, "\(error)")
            }
        }
    }

    @Test(
        "Z5: a name as it is shown is read as the same name", arguments: ["docker.io/a.b/c", "docker.io/localhost/c"])
    func familiarName(_ text: String) throws {
        let reference = try Reference(parsing: text)
        #expect(try Reference(parsing: reference.familiar) == reference)
        #expect(reference.familiar == text)
    }

    @Test("Z6: 0.0.0.0 and :: are this machine", arguments: ["https://0.0.0.0/", "https://[::]/", "https://0:443/x"])
    func unspecifiedAddress(_ target: String) throws {
        let origin = try WebURL(parsing: "https://r.example/")
        let policy = DestinationPolicy(origin: origin, insecure: InsecureHosts([]))
        let url = try WebURL(parsing: target)
        #expect(throws: Fault.self) { try policy.check(redirect: url, from: origin) }
        #expect(!policy.allows(connected: "0.0.0.0", for: url) && !policy.allows(connected: "::", for: url))
        let local = DestinationPolicy(
            origin: try WebURL(parsing: "http://127.0.0.1:5000/"), insecure: InsecureHosts([]))
        #expect(throws: Never.self) { try local.check(redirect: url, from: local.origin) }
    }

    @Test("Z6: a host behind percent-escapes is checked as the address that libcurl makes of it")
    func escapedAddress() throws {
        let url = try WebURL(parsing: "https://r.example/").resolving("//21%33%30706433/x")
        #expect(url.host == "127.0.0.1" && url.text == "https://127.0.0.1/x")
    }

    @Test(
        "Z10: addresses and ranges of published ports are judged as docker judges them",
        arguments: ["x::80", "1.2.3.4.5:80:80", "+80", "80-90:1-2", "1:80:+80", "::\0x::80"])
    func publishedPorts(_ text: String) {
        #expect(throws: ValueError.self) { try PortSpecification.parse(text) }
    }

    @Test("Z10: a sign is no part of a list of CPUs", arguments: ["+1", "1-+2", "0,+1"])
    func signsInLists(_ text: String) {
        #expect(throws: ValueError.self) { try Modes.cpuset(text, "cpus") }
    }

    @Test(
        "Z2: a tar whose first file has a name like another format's magic is a tar",
        arguments: ["PKGBUILD", "Rar!.txt"])
    func namesLikeMagics(_ name: String) throws {
        let tar = TarForge.make { $0.file(name, "x") }
        #expect(try tar.withUnsafeBytes { try Compression.detect($0) } == .plain)
    }
}
