internal import Glibc
internal import OCI
internal import Sys
internal import TestSupport
import Testing

extension EndToEnd {
    /// Programs of the machine's owner that are asked about each image, by containerd's contract.
    @Suite(.enabled(if: Conditions.canPull, "needs docker-registry and skopeo")) struct Verifiers {
        struct Case: Sendable, CustomStringConvertible {
            let description: String
            /// Name and text of each program; nil: no directory.
            let programs: [String: String]?
            /// What the error says; nil: the image is had.
            let said: String?
        }

        static let cases = [
            Case(description: "no directory", programs: nil, said: nil),
            Case(description: "nobody in it", programs: [:], said: nil),
            Case(
                description: "one that looks at what it is told",
                programs: [
                    "look": """
                    test "$1 $3 $5" = "-name -digest -stdin-media-type" || exit 1
                    test "$6" = application/vnd.oci.descriptor.v1+json || exit 2
                    case $2 in */library/fixture:latest) ;; *) exit 3;; esac
                    case $4 in sha256:*) ;; *) exit 4;; esac
                    grep -q "\\"digest\\":\\"$4\\"" || exit 5
                    """
                ], said: nil),
            Case(description: "all say yes", programs: ["a": "exit 0", "b": "echo fine"], said: nil),
            Case(
                description: "one says no", programs: ["a": "exit 0", "b": "echo not signed; exit 7"],
                said: "refused by the verifier b: not signed; exit code 7"),
            Case(description: "one is killed", programs: ["a": "kill -9 $$"], said: "ended by signal 9"),
            Case(description: "one is slow", programs: ["a": "sleep 1000"], said: "no answer within 10 s"),
            Case(
                description: "one lets go of its output and stays",
                programs: ["a": "exec >/dev/null </dev/null; sleep 1000"], said: "no answer within 10 s"),
        ]

        @Test("T11: verifiers say what is pulled", arguments: cases)
        func theVerifiersSayWhatIsPulled(_ row: Case) throws {
            let registry = try PullCommand.fixtureRegistry()
            let scratch = try Scratch()
            let directory = scratch("verifiers")
            if let programs = row.programs {
                try scratch.directory("verifiers")
                for (name, text) in programs {
                    try scratch.file("verifiers/\(name)", "#!/bin/sh\n\(text)\n", mode: 0o755)
                }
            }
            let runimg = try Runimg(configuration: #"{"image-verifiers": "\#(directory)"}"#)
            let output = try runimg("pull", "-q", "\(registry.host)/library/fixture")
            if let said = row.said {
                #expect(output.status == 1 && output.stderr.contains(said), "\(output)")
                // Before anything but the manifest was fetched.
                #expect(try registry.blobFetches().isEmpty)
                #expect(try runimg.check("images", "-q").lines.isEmpty)
            } else {
                #expect(output.status == 0, "\(output)")
            }
            // What the user has as a file is his own affair.
            try runimg.check("pull", "-q", Leaks.image)
        }

        /// The verifier is in a session of its own, where no key of the terminal reaches it.
        @Test func anInterruptionDoesNotWaitForAVerifier() throws {
            let registry = try PullCommand.fixtureRegistry()
            let scratch = try Scratch()
            let text = "#!/bin/sh\necho $$ > \(scratch("pid"))\nexec sleep 1000\n"
            try scratch.file("verifiers/slow", text, mode: 0o755)
            let runimg = try Runimg(configuration: #"{"image-verifiers": "\#(scratch("verifiers"))"}"#)
            let command = runimg.command(["pull", "-q", "\(registry.host)/library/fixture"])
            var child = try ChildProcess(command[0], Array(command.dropFirst()), environment: Tool.baseEnvironment)
            var pid: Int32?
            #expect(
                Wait.until(seconds: 8) {
                    let text = (try? File.readAll(scratch("pid"))).map { String(decoding: $0, as: UTF8.self) } ?? ""
                    pid = Int32(text.prefix { $0 != "\n" })
                    return pid != nil
                })
            try child.signal(SIGINT)
            #expect(try child.wait(seconds: 5) == .exited(130))
            let verifier = try #require(pid)
            #expect(Wait.until(seconds: 5) { kill(verifier, 0) != 0 })
            #expect(try runimg.check("images", "-q").lines.isEmpty)
        }

        @Test func whatCannotBeRunSaysNo() throws {
            let registry = try PullCommand.fixtureRegistry()
            let scratch = try Scratch()
            try scratch.file("verifiers/text", "no program", mode: 0o644)
            let runimg = try Runimg(configuration: #"{"image-verifiers": "\#(scratch("verifiers"))"}"#)
            let output = try runimg("pull", "-q", "\(registry.host)/library/fixture")
            #expect(output.status == 1 && output.stderr.contains("it can't be run: permission denied"), "\(output)")
            let wrong = try Runimg(configuration: #"{"image-verifiers": "verifiers"}"#)
            let refused = try wrong("images")
            #expect(refused.status == 125 || refused.status == 1, "\(refused)")
            #expect(refused.stderr.contains("image-verifiers: \"verifiers\" is no absolute path"), "\(refused)")
        }
    }
}
