import DockerCLI
import Engine
import OCI
import TestSupport
import Testing

/// Units of systemd's.
@Suite struct SystemdTests {
    private static func unit(_ change: (inout SystemdUnit) -> Void = { _ in }) -> SystemdUnit {
        var unit = SystemdUnit()
        unit.program = ["/usr/local/bin/runimg"]
        unit.dataRoot = "/var/lib/runimg"
        unit.version = "1.2.3"
        change(&unit)
        return unit
    }

    @Test func oneContainer() {
        #expect(
            Self.unit().service("container-web.service", container: "web", called: "web") == """
                # container-web.service
                # Written by runimg 1.2.3

                [Unit]
                Description=Container web of runimg
                Documentation=man:runimg-generate-systemd(1)
                Wants=network-online.target
                After=network-online.target
                RequiresMountsFor=/var/lib/runimg /run/runimg

                [Service]
                Type=exec
                Restart=on-failure
                TimeoutStopSec=70
                ExecStart=/usr/local/bin/runimg start --attach web
                ExecStop=/usr/local/bin/runimg stop --timeout 10 web
                SuccessExitStatus=143

                [Install]
                WantedBy=default.target

                """)
    }

    @Test func whatRunsAfterABoot() {
        let text = Self.unit { $0.hasHeader = false }.boot()
        #expect(text.hasPrefix("[Unit]\n"))
        #expect(
            text.contains(
                "\nType=oneshot\nRemainAfterExit=yes\nTimeoutStartSec=infinity\nExecStart=/usr/local/bin/runimg start --all "
                    + "--filter restart-policy=always --filter restart-policy=unless-stopped\n"
                    + "ExecStop=/usr/local/bin/runimg stop --all --until-boot\nTimeoutStopSec=300\n"))
    }

    /// systemd.syntax(7): what would be a specifier, a variable, a separator or the end of a line stands for itself.
    @Test(arguments: [
        ("/a b", #""/a b""#), ("/100%", "/100%%"), ("/a$HOME", "/a$$HOME"), (#"/a"b\c"#, #""/a\"b\\c""#),
        ("/a;b", #""/a;b""#), ("/tab\tend", #""/tab\x09end""#), ("/line\nExecStart=x", #""/line\x0aExecStart=x""#),
        ("/é", #""/\xc3\xa9""#), ("/it's", #""/it's""#),
    ])
    func wordsStandForThemselves(_ path: String, _ expected: String) {
        let text = Self.unit { $0.dataRoot = path }.service("a.service", container: "web", called: "web")
        #expect(
            text.contains("\nExecStart=/usr/local/bin/runimg --data-root \(expected) start --attach web\n"), "\(text)")
        // No variables there.
        let plain = expected.replacing("$$", with: "$")
        #expect(text.contains("\nRequiresMountsFor=\(plain) /run/runimg\n"), "\(text)")
    }

    private static func bench() throws -> Bench {
        let bench = Bench()
        let image = try Digest(parsing: "sha256:" + String(repeating: "f", count: 64))
        var request = RunRequest(image: "alpine")
        request.lifecycle.stopTimeout = 25
        let id = String(repeating: "a", count: 64)
        let record = ContainerRecord(
            id: id, name: "web", image: image, request: request, execution: ImageConfig.Execution(), arguments: ["sh"])
        bench.engine.details["web"] = ContainerDetails(
            record: record, condition: .exited, layers: LayerPaths(lower: [""], merged: "", upper: "", work: ""))
        request.lifecycle.restart = RestartPolicy(kind: .always)
        let again = ContainerRecord(
            id: id, name: "again", image: image, request: request, execution: ImageConfig.Execution(), arguments: ["sh"]
        )
        bench.engine.details["again"] = ContainerDetails(
            record: again, condition: .exited, layers: LayerPaths(lower: [""], merged: "", upper: "", work: ""))
        return bench
    }

    @Test(arguments: [
        (
            "web",
            ["# container-\(String(repeating: "a", count: 64)).service\n", "TimeoutStopSec=85\n", "--timeout 25 aaa"]
        ),
        ("--name web", ["# container-web.service\n", "start --attach web\n"]),
        ("-n --container-prefix c --separator . web", ["# c.web.service\n"]),
        ("-n --container-prefix= web", ["# web.service\n"]),
        ("-n -t 5 web", ["--timeout 5 web", "TimeoutStopSec=65\n"]),
        ("-n --restart-policy always --restart-sec 3 web", ["Restart=always\nRestartSec=3\n"]),
        ("-n --start-timeout 9 web", ["TimeoutStartSec=9\n"]),
        (
            "-n --after a.service --wants b.service --requires c.service web",
            [
                "After=network-online.target a.service\n", "Wants=network-online.target b.service\n",
                "Requires=c.service\n",
            ]
        ),
        ("-n -e A=b%c web", ["Environment=A=b%%c\n"]),
        ("--boot", ["# runimg-restart.service\n"]),
    ])
    func flags(_ line: String, _ parts: [String]) throws {
        let bench = try Self.bench()
        #expect(bench.run("generate systemd \(line)") == 0, "\(bench.errors.text)")
        for part in parts { #expect(bench.output.text.contains(part), "\(part): \(bench.output.text)") }
        #expect(bench.errors.text.isEmpty)
    }

    @Test func saysThatTwoWouldStartIt() throws {
        let bench = try Self.bench()
        #expect(bench.run("generate systemd --name again") == 0)
        #expect(bench.errors.text.hasPrefix("WARNING: again has the restart policy always"))
    }

    @Test(arguments: [
        ("", 1), ("--boot web", 1), ("nothing", 1), ("--after ../x web", 125), ("--container-prefix a/b web", 125),
        ("--after a@b%i web", 125), ("--restart-policy sometimes web", 125), ("--env NAME web", 125),
        ("--new web", 125),
    ])
    func refuses(_ line: String, _ code: Int32) throws {
        let bench = try Self.bench()
        #expect(bench.run("generate systemd \(line)") == code)
        #expect(bench.output.text.isEmpty && !bench.errors.text.isEmpty)
    }

    @Test(
        .enabled(if: Conditions.has("systemd-analyze"), "needs systemd-analyze"),
        arguments: ["/var/lib/runimg", "/data $x/100% \"of\" 'it';\\n"])
    func systemdReadsThem(_ dataRoot: String) throws {
        let scratch = try Scratch()
        try scratch.directory("x")
        let unit = Self.unit {
            $0.dataRoot = dataRoot
            // There, so that only the unit's form is judged.
            $0.program = ["/bin/true"]
            $0.environment = ["A=b c"]
        }
        for (name, text) in [
            ("container-web.service", unit.service("container-web.service", container: "web", called: "web")),
            (SystemdUnit.bootName, unit.boot()),
        ] {
            try scratch.file(name, text)
            let output = try Tool.run(
                "systemd-analyze", ["verify", "--man=no", "--recursive-errors=no", scratch(name)],
                environment: ["SYSTEMD_UNIT_PATH": "\(scratch.path):"])
            #expect(output.status == 0 && output.stderr.isEmpty, "\(output)")
        }
    }
}
