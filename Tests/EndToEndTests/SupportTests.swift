internal import Glibc
internal import OCI
internal import Sys
internal import TestSupport
import Testing

/// The suite's own tools: a test is worth what its instruments are.
@Suite struct SupportTests {
    @Test func aToolSaysWhatItWroteAndHowItEnded() throws {
        let output = try Tool.run("sh", ["-c", "cat; echo bad >&2; exit 7"], input: Array("good".utf8))
        #expect(output.stdout == "good" && output.stderr == "bad\n" && output.status == 7)
        let killed = try Tool.run("sh", ["-c", "kill -9 $$"])
        #expect(killed.status == nil && killed.signal == SIGKILL)
    }

    @Test func inputLargerThanAPipeAndUnreadInputDoNotHang() throws {
        let bytes = [UInt8](repeating: 65, count: 1 << 20)
        #expect(try Tool.run("wc", ["-c"], input: bytes).stdout == "1048576\n")
        #expect(try Tool.run("true", input: bytes).status == 0)
    }

    @Test func aToolThatDoesNotEndIsKilledWithItsChildren() throws {
        let output = try Tool.run("sh", ["-c", "sleep 100 & echo $!; wait"], timeout: 0.5)
        #expect(output.timedOut)
        let child = try #require(Int32(output.stdout.split(separator: "\n").first ?? ""))
        #expect(Wait.until(seconds: 2) { kill(child, 0) != 0 })
    }

    @Test func aDescendantThatKeepsThePipesIsNoticed() throws {
        let output = try Tool.run("sh", ["-c", "sleep 100 & echo done"])
        #expect(output.stdout == "done\n" && output.lingering)
    }

    @Test func twoListingsTellEveryKindOfDifference() throws {
        let scratch = try Scratch()
        try scratch.file("a/file", "one")
        try scratch.file("a/other", "x")
        let before = try TreeListing(scratch.path)
        #expect(try TreeListing(scratch.path) == before)
        try scratch.file("a/file", "two", mode: 0o600)
        try File.unlink(scratch("a/other"))
        try File.symlink("file", scratch("a/link"))
        let lines = try TreeListing(scratch.path, .contents).differences(from: before.withoutTimes)
        #expect(lines.contains("a/file: mode 600, expected 644"))
        #expect(lines.contains("a/link: unexpected symlink"))
        #expect(lines.contains("a/other: missing file"))
        #expect(lines.contains { $0.hasPrefix("a/file: digest") })
    }

    @Test(
        .enabled(if: Conditions.hasRegistry && Conditions.hasSharedImages, "needs docker-registry and ../shared/images")
    )
    func aPlainRegistryHoldsTheRealAlpine() throws {
        let scratch = try Scratch()
        try SharedImages.alpineLayout(scratch("alpine"))
        let registry = try RealRegistry()
        try registry.push("oci:\(scratch("alpine")):latest", as: "library/alpine:latest")
        let raw = try Tool.check(
            "skopeo", ["inspect", "--raw", "--tls-verify=false", "docker://\(registry.host)/library/alpine"])
        #expect(raw.stdout.contains("arm64"))
        #expect(try registry.requests().contains { $0.method == "PUT" && $0.status == 201 })
    }

    @Test(
        .enabled(if: Conditions.hasRegistry && Conditions.has("htpasswd", "openssl", "curl"), "needs docker-registry"))
    func aSecureRegistryAsksWhoIsThere() throws {
        let registry = try RealRegistry(.init(tls: true, credentials: ("user", "secret")))
        let arguments = ["-s", "-o", "/dev/null", "-w", "%{http_code}", "--cacert", registry.authorityFile]
        #expect(try Tool.check("curl", arguments + ["\(registry.url)/v2/"]).stdout == "401")
        #expect(try Tool.check("curl", arguments + ["-u", "user:secret", "\(registry.url)/v2/"]).stdout == "200")
        if Conditions.hasSharedImages {
            try registry.push("oci:\(SharedImages.busybox)", as: "private/busybox:1", format: "v2s2")
        }
    }
}
