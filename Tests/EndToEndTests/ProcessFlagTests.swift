internal import Glibc
internal import Sys
internal import TestSupport
import Testing

extension EndToEnd {
    /// What `run` gives the process.
    @Suite struct ProcessFlags {
        @Test func theDefaultsAreDockers() throws {
            let probe = try probe()
            #expect(probe["pid"] == "1" && probe["ppid"] == "0")
            #expect(probe["uid"] == "0:0:0" && probe["gid"] == "0:0:0")
            #expect(probe["cwd"] == "/")
            #expect(probe["env.PATH"] == "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin")
            #expect(probe["env.HOME"] == "/root")
            #expect(probe["env.HOSTNAME"] == probe["hostname"])
            #expect(probe["hostname"]?.count == 12)
            #expect(probe["env.TERM"] == nil)
            #expect(Set(probe.all("env.").keys) == ["PATH", "HOME", "HOSTNAME"])
            #expect(probe["umask"] == "0022")
            #expect(probe["signals_blocked"] == "0000000000000000")
            #expect(probe["signals_ignored"] == "0000000000000000")
        }

        @Test func onlyTheThreeStandardDescriptorsAreOpen() throws {
            #expect(Set(try probe().all("fd.").keys) == ["0", "1", "2"])
            #expect(Set(try probe("-i").all("fd.").keys) == ["0", "1", "2"])
        }

        @Test func descriptorsOfTheCallerDoNotReachTheContainer() throws {
            // threats.md R3: descriptors 3 to 99 open on a directory.
            let engine = try engine
            let script = """
                for n in 3 4 5 6 7 8 9; do eval "exec $n</root"; done
                exec "$0" --data-root "$1" run --rm "$2" /probe
                """
            let output = try Tool.check("bash", ["-c", script, Runimg.path, engine.runimg.dataRoot, engine.image])
            #expect(Set(Probe(output.stdout).all("fd.").keys) == ["0", "1", "2"])
        }

        @Test func environmentFlagsWinInOrder() throws {
            let engine = try engine
            let file = try engine.runimg.scratch.file(
                "env-file", "# comment\nFROM_FILE=1\nBOTH=file\n\nSPACES= kept \nPASSED\nNOT_SET\n")
            let output = try engine.runimg.run(
                [
                    "run", "--rm", "--env-file", file, "-e", "BOTH=flag", "-e", "TWICE=1", "-e", "TWICE=2", "-e",
                    "INHERITED", "-e", "ABSENT", "-e", "EMPTY=", "--env", "EQUALS=a=b", engine.image, "/probe",
                ])
            #expect(output.status == 0, "\(output)")
            let own = Probe(
                try engine.runimg.run(
                    ["run", "--rm", "--env-file", file, "-e", "INHERITED", "-e", "ABSENT", engine.image, "/probe"],
                    environment: ["INHERITED": "from caller", "PASSED": "by name"]
                ).stdout)
            let probe = Probe(output.stdout)
            #expect(probe["env.FROM_FILE"] == "1" && probe["env.BOTH"] == "flag" && probe["env.TWICE"] == "2")
            #expect(probe["env.EMPTY"] == "" && probe["env.EQUALS"] == "a=b" && probe["env.SPACES"] == " kept ")
            #expect(probe["env.INHERITED"] == nil && probe["env.ABSENT"] == nil && probe["env.NOT_SET"] == nil)
            #expect(own["env.INHERITED"] == "from caller" && own["env.PASSED"] == "by name" && own["env.ABSENT"] == nil)
        }

        @Test func aMissingEnvironmentFileIsNamed() throws {
            let output = try run(["--env-file", "/no/such/file"], "true")
            #expect(output.status == 125 && output.stderr.contains("/no/such/file"))
        }

        @Test func theWorkingDirectoryIsMadeWhenMissing() throws {
            #expect(try probe("-w", "/etc")["cwd"] == "/etc")
            #expect(try probe("-w", "/made/for/this")["cwd"] == "/made/for/this")
            #expect(try run(["-w", "/etc/passwd"], "true").status != 0)
        }

        @Test(
            "X1, X3: users come from the image, and hold nothing but root's",
            arguments: [
                ("1000", "1000:1000:1000", "1000:1000:1000", "/home/alice"),
                ("alice", "1000:1000:1000", "1000:1000:1000", "/home/alice"),
                ("bob", "1001:1001:1001", "50:50:50", "/nonexistent"),
                ("alice:staff", "1000:1000:1000", "50:50:50", "/home/alice"),
                ("1234:5678", "1234:1234:1234", "5678:5678:5678", "/"),
                ("4000000000", "4000000000:4000000000:4000000000", "0:0:0", "/"),
                ("nobody", "65534:65534:65534", "65534:65534:65534", "/"),
                (":audio", "0:0:0", "63:63:63", "/root"),
            ])
        func usersComeFromTheImage(_ user: String, _ uid: String, _ gid: String, _ home: String) throws {
            let probe = try probe("-u", user)
            #expect(probe["uid"] == uid && probe["gid"] == gid)
            #expect(probe["env.HOME"] == home)
            if !uid.hasPrefix("0:") {
                #expect(probe["cap_effective"] == "0000000000000000" && probe["cap_permitted"] == "0000000000000000")
            }
            #expect(probe["cap_ambient"] == "0000000000000000" && probe["cap_inheritable"] == "0000000000000000")
        }

        @Test func entrypointAndCommandAreMerged() throws {
            let engine = try engine
            let echo = try engine.runimg.run(["run", "--rm", "--entrypoint", "/bin/echo", engine.image, "a", "b c"])
            #expect(echo.stdout == "a b c\n")
            // An entrypoint of the user's takes the image's command away, as docker does.
            let alone = try engine.runimg.run(["run", "--rm", "--entrypoint", "/bin/echo", engine.image])
            #expect(alone.stdout == "\n")
            let none = try engine.runimg.run(["run", "--rm", "--entrypoint", "", engine.image, "echo", "x"])
            #expect(none.stdout == "x\n")
            let empty = try engine.runimg.run(["run", "--rm", "--entrypoint", "", engine.image])
            #expect(empty.status == 125 && empty.stderr.contains("no command specified"), "\(empty)")
        }

        @Test func flagsEndAtTheImage() throws {
            let output = try run([], "/probe", "args", "--rm", "-it", "--", "-v", "a b", "")
            #expect(output.lines == ["arg.1=--rm", "arg.2=-it", "arg.3=--", "arg.4=-v", "arg.5=a b", "arg.6="])
        }

        @Test func theHostNameIsSet() throws {
            let probe = try probe("-h", "my-host.example", "--domainname", "example.org")
            #expect(probe["hostname"] == "my-host.example" && probe["domainname"] == "example.org")
            #expect(probe["env.HOSTNAME"] == "my-host.example")
            #expect(try shell(["-h", "other"], "cat /etc/hostname") == "other")
            #expect(try String(shell([], "hostname")) != Tool.check("hostname").stdout)
        }

        @Test func theNetworkFilesAreThere() throws {
            let hosts = try shell([], "cat /etc/hosts")
            #expect(hosts.contains("127.0.0.1\tlocalhost") && hosts.contains("::1"))
            #expect(try shell([], "test -f /etc/resolv.conf && echo there") == "there")
            #expect(try shell([], "echo own > /etc/hosts && cat /etc/hosts") == "own")
        }

        @Test("D1: the caller's umask changes nothing", arguments: ["000", "077"]) func theCallersUmaskChangesNothing(
            _ umask: String
        ) throws {
            let runimg = try Runimg()
            let script = """
                umask \(umask); exec "$0" --data-root "$1" run --rm -q -u alice -w /made/here "$2" sh -c \
                'cat /etc/hosts /etc/resolv.conf /etc/hostname >/dev/null && stat -c %a / /made /made/here /dev/shm /tmp && umask'
                """
            let output = try Tool.run(
                "sh", ["-c", script, Runimg.path, runimg.dataRoot, "oci:\(Fixtures.layout("busybox")):latest"])
            #expect(output.status == 0 && output.lines == ["755", "755", "755", "1777", "1777", "0022"], "\(output)")
            #expect(try ["710", "711", "700"].contains(String(File.status(runimg.dataRoot).mode, radix: 8)))
        }

        @Test func anInitReapsAndForwards() throws {
            #expect(try run(["--init"], "/probe", "orphan").stdout == "orphan=reaped\n")
            #expect(try Probe(run(["--init"], "/probe").stdout)["ppid"] == "1")
            #expect(try run(["--init"], "/probe", "exit", "7").status == 7)
        }

        @Test func theStopSignalIsOneThatThereIs() throws {
            for name in ["SIGUSR1", "usr1", "10", "RTMIN+3"] {
                #expect(try run(["--stop-signal", name], "true").status == 0, "\(name)")
            }
            for name in ["SIGNOPE", "0", "65", "-1"] {
                let output = try run(["--stop-signal=\(name)"], "true")
                #expect(output.status == 125 && output.stderr.contains("signal"), "\(output)")
            }
        }

        @Test func privilegesCanBeHeldByTheConfiguration() throws {
            let runimg = try Runimg(configuration: #"{"no-new-privileges": true}"#)
            let image = "oci:\(Fixtures.layout("busybox")):latest"
            let held = try runimg("run", "--rm", "-q", image, "/probe")
            #expect(Probe(held.stdout)["no_new_privs"] == "1", "\(held)")
            let asked = try runimg("run", "--rm", "-q", "--security-opt", "no-new-privileges=false", image, "/probe")
            #expect(Probe(asked.stdout)["no_new_privs"] == "0", "\(asked)")
        }

        @Test func limitsOfProcesses() throws {
            let probe = try probe("--ulimit", "nofile=100:200", "--ulimit", "core=0", "--ulimit", "stack=1048576")
            #expect(probe["rlimit.nofile"] == "100:200" && probe["rlimit.core"] == "0:0")
            #expect(probe["rlimit.stack"] == "1048576:1048576")
            // A limit on descriptors is the process's, not our start's.
            for flags in [[], ["--init"], ["-t"]] {
                let output = try run(["--ulimit", "nofile=6:6"] + flags, "sh", "-c", "ulimit -n")
                #expect(output.lines.first?.hasPrefix("6") == true, "\(output)")
            }
            // By default no core file is written, into the container's layer or a host's crash handler; it may be asked for.
            let own = try Tool.check("bash", ["-c", "ulimit -Hc"]).lines.first ?? ""
            let hard = own == "unlimited" ? "-1" : String(try #require(Int64(own)) * 1024)
            #expect(try EndToEnd.probe()["rlimit.core"] == "0:\(hard)")
        }

        @Test func theContainersIDIsWrittenOnce() throws {
            let scratch = try Scratch()
            #expect(try run(["--cidfile", scratch("id")], "true").status == 0)
            let id = String(decoding: try File.readAll(scratch("id")), as: UTF8.self)
            #expect(id.count == 64 && id.utf8.allSatisfy { (48...57).contains($0) || (97...102).contains($0) })
            let again = try run(["--cidfile", scratch("id")], "true")
            #expect(again.status == 125 && again.stderr.contains(scratch("id")), "\(again)")
            #expect(String(decoding: try File.readAll(scratch("id")), as: UTF8.self) == id)
        }

        @Test func aNameIsTakenWhileItsContainerIsThere() throws {
            let runimg = try Runimg()
            let image = "oci:\(Fixtures.layout("busybox")):latest"
            var child = try runimg.start(
                "run", "--rm", "-q", "--name", "taken", image, "sh", "-c", "echo up; sleep 100")
            #expect(Wait.until(seconds: 20) { runimg.startedOutput.contains("up") })
            let second = try runimg("run", "--rm", "-q", "--name", "taken", image, "true")
            #expect(second.status == 125 && second.stderr.contains("taken"), "\(second)")
            try runimg.end(&child)
            let third = try runimg("run", "--rm", "-q", "--name", "taken", image, "echo", "mine")
            #expect(third.status == 0 && third.stdout == "mine\n", "\(third)")
        }

        @Test func aDryRunStartsNothing() throws {
            // A store of its own: in the shared one other containers come and go.
            let runimg = try Runimg()
            let image = "oci:\(Fixtures.layout("busybox")):latest"
            try runimg.check("pull", "-q", image)
            let before = try LeakSnapshot(dataRoot: runimg.dataRoot)
            let output = try runimg("run", "--rm", "--dry-run", "-q", "-m", "64m", image, "touch", "/x")
            #expect(output.status == 0 && output.stdout.contains("touch"), "\(output)")
            #expect(try before.leaks(ignoringStore: true) == [])
            #expect(try Directory.entries("\(runimg.dataRoot)/overlay2").count == 2)
        }
    }
}
