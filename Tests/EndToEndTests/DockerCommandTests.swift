internal import Glibc
internal import OCI
internal import Sys
internal import TestSupport
import Testing

extension EndToEnd {
    /// The same command lines to docker and to us, one after the other over the life of some containers: what both print,
    /// and how both end.
    @Suite(
        .enabled(
            if: Conditions.canRun && DockerDaemon.isPossible,
            "needs root, overlayfs, and Debian's docker from make servers"
        ), .timeLimit(.minutes(Wait.minutes(10))))
    struct DockerCommandTests {
        @Test func sayAndDoTheSame() throws {
            let docker = try DockerDaemon(hasOwnNetwork: true)
            try docker.importBusybox(as: "box:1")
            let runimg = try Self.prepared()
            for line in DockerDialogue.all {
                // docker's diff has no order.
                let isSorted = line.arguments.first == "diff"
                let theirs = Answer(try docker.run(line.arguments), isSorted: isSorted)
                let ours = Answer(try runimg.run(line.arguments), isSorted: isSorted)
                switch line.difference {
                case nil: #expect(ours == theirs, "\(line.text)")
                case .words(let reason):
                    #expect(ours != theirs, "\(line.text): no difference any more: \(reason)")
                    #expect(ours.status == theirs.status, "\(line.text): \(ours) and docker's \(theirs)")
                case .all(let reason): #expect(ours.status != theirs.status, "\(line.text): no difference: \(reason)")
                }
            }
            _ = try docker.run(["rm", "-f", "box1", "box2", "box3"])
            try runimg.check("rm", "-f", "-v", "--all")
            try runimg.check("network", "prune", "-f")
        }

        /// A program whose image has the name that docker's has.
        private static func prepared() throws -> Runimg {
            let runimg = try Runimg()
            let layout = "oci:\(Fixtures.layout("busybox")):latest"
            try runimg.check("create", "-q", "--name", "base", layout, "sh")
            try runimg.check("commit", "base", "box:1")
            try runimg.check("rm", "base")
            // docker has no image without a name either.
            try runimg.check("image", "prune", "-f")
            return runimg
        }
    }
}

/// What a command said and how it ended, without what is never the same: IDs, the program's name, who speaks, help texts
/// behind the first paragraph, and the case of letters, which docker 29 changed in many messages of 20.10.
private struct Answer: Equatable, CustomStringConvertible {
    let status: Int32?
    let output: String
    let errors: String

    init(_ answer: Tool.Output, isSorted: Bool) {
        status = answer.status
        let text = Answer.plain(answer.stdout)
        output = isSorted ? text.split(separator: "\n").sorted().joined(separator: "\n") : text
        errors = Answer.message(answer.stderr)
    }

    private static func plain(_ text: String) -> String {
        // The second is what docker says of a machine that forwards nothing.
        text.replacing(#/\b[0-9a-f]{64}\b/#, with: "<ID>")
            .replacing(#/(WARNING: )?IPv4 forwarding is disabled[^\n]*\n/#, with: "")
            .replacing(#/\b[0-9a-f]{12}\b/#, with: "<id>")
    }

    private static func message(_ text: String) -> String {
        var lines: [String] = []
        for line in plain(text).split(separator: "\n", omittingEmptySubsequences: false) {
            if line.isEmpty || line.starts(with: "See '") || line.starts(with: "Run '") { break }
            // docker's own log, which a busy machine makes longer.
            if line.starts(with: "time=") { continue }
            var words = String(line.replacing("runimg", with: "docker"))
            for speaker in ["docker: ", "Error response from daemon: ", "Error: "] where words.hasPrefix(speaker) {
                words = String(words.dropFirst(speaker.count))
            }
            // docker names who said it twice, ends sentences with a dot in `run`, and quotes its name in its own way.
            words = words.replacing(#/\.$/#, with: "").replacing(#/ \(E[A-Z]+\)/#, with: "").replacing("\"", with: "'")
            lines.append(words.lowercased())
        }
        return lines.joined(separator: "\n")
    }

    var description: String {
        "exit \(status ?? -1), output \(output.debugDescription), errors \(errors.debugDescription)"
    }
}
