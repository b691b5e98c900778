import Glibc
import OCI
import Runtime
import Sys
import TestSupport
import Testing

/// How a command is found and executed, and what is said when it is not.
@Suite(.enabled(if: ContainerFixture.isPossible, ContainerFixture.requirement))
struct ExecTests {
    struct Refusal: Sendable, CustomTestStringConvertible {
        let command: String
        let message: String
        let code: Int32
        var testDescription: String { command }
    }

    static let refusals = [
        Refusal(command: "nothing", message: "exec: \"nothing\": executable file not found in $PATH", code: 127),
        Refusal(command: "plain", message: "exec: \"plain\": executable file not found in $PATH", code: 127),
        Refusal(command: "", message: "exec: \"\": executable file not found in $PATH", code: 127),
        Refusal(command: "/x", message: "exec: \"/x\": stat /x: no such file or directory", code: 127),
        Refusal(command: "/plain/x", message: "exec: \"/plain/x\": stat /plain/x: not a directory", code: 127),
        Refusal(command: "/plain", message: "exec: \"/plain\": permission denied", code: 126),
        Refusal(command: "/etc", message: "exec: \"/etc\": is a directory", code: 126),
        Refusal(
            command: "/bin/foreign",
            message:
                "exec /bin/foreign: exec format error; it is for another architecture, or a script without a #! line",
            code: 126),
        Refusal(
            command: "foreign",
            message:
                "exec /bin/foreign: exec format error; it is for another architecture, or a script without a #! line",
            code: 126),
        Refusal(
            command: "script",
            message: "exec /bin/script: no such file or directory; the file is there, but not the interpreter in its"
                + " first line or its dynamic loader", code: 127),
        Refusal(
            command: "/bin/script",
            message: "exec /bin/script: no such file or directory; the file is there, but not the interpreter in its"
                + " first line or its dynamic loader", code: 127),
    ]

    private func fixture() throws -> ContainerFixture {
        try ContainerFixture { scratch, _ in
            try scratch.file("overlay2/base/diff/plain", "text\n")
            try scratch.file("overlay2/base/diff/bin/plain", "text\n")
            try scratch.file("overlay2/base/diff/bin/foreign", "text\n", mode: 0o755)
            try scratch.file("overlay2/base/diff/bin/script", "#!/no/such\n", mode: 0o755)
            try scratch.file("overlay2/base/diff/work/tool", "#!/bin/sh\necho tool\n", mode: 0o755)
        }
    }

    @Test(arguments: refusals, [false, true]) func saysWhy(refusal: Refusal, useInit: Bool) throws {
        let error = try fixture().failure([refusal.command, "argument"]) { $0.useInit = useInit }
        #expect("\(error)" == refusal.message)
        #expect(error.exitCode == refusal.code)
    }

    @Test func searchesThePathOfTheContainer() throws {
        let fixture = try fixture()
        let found = try fixture.run(["tool"]) { $0.spec.process.env = ["PATH=/nowhere:/plain::/work:/bin"] }
        #expect(found.output == "tool\n")
        let relative = try fixture.run(["./tool"]) { $0.spec.process.cwd = "/work" }
        #expect(relative.output == "tool\n")
        // An empty part of PATH is not the working directory.
        let error = try fixture.failure(["tool"]) { request in
            request.spec.process.cwd = "/work"
            request.spec.process.env = ["PATH=::/bin"]
        }
        #expect(error.exitCode == 127)
        let fallback = try fixture.run(["busybox", "true"]) { $0.spec.process.env = [] }
        #expect(fallback.exit == .code(0))
    }

    @Test func passesArgumentsAndEnvironmentAsTheyAre() throws {
        let fixture = try fixture()
        let odd = ["printf", "%s|", "a b", "", "\"quoted\"", "ü\n", String(repeating: "x", count: 100_000)]
        #expect(try fixture.run(odd).output == odd.dropFirst(2).map { "\($0)|" }.joined())
        let result = try fixture.run(["env"]) { $0.spec.process.env = ["PATH=/bin", "A=b=c", "EMPTY="] }
        #expect(result.lines == ["PATH=/bin", "A=b=c", "EMPTY="])
    }

    @Test func refusesWhatTheKernelRefuses() throws {
        let error = try fixture().failure(["true", String(repeating: "x", count: 200_000)])
        #expect("\(error)" == "exec true: argument list too long")
        #expect(error.exitCode == 126)
    }

    @Test func runsWithoutPrivilegesOfTheUser() throws {
        let fixture = try ContainerFixture { scratch, image in
            try scratch.directory("overlay2/base/diff/private", mode: 0o700)
            try scratch.file("overlay2/base/diff/private/tool", "#!/bin/sh\n", mode: 0o755)
        }
        let error = try fixture.failure(["/private/tool"]) { $0.spec.process.user = .init(uid: 1000, gid: 1000) }
        #expect("\(error)" == "exec: \"/private/tool\": permission denied")
        #expect(error.exitCode == 126)
    }
}
