internal import OCI
internal import Sys
internal import TestSupport
internal import Testing

extension OCIRuntimeTests {
    /// `run`, and what every verb takes: descriptors, logs.
    @Suite struct Run {
        @Test(arguments: OCIRuntime.all) func endsAsItsProgramDoes(_ runtime: OCIRuntime) throws {
            try OCIBench.with(runtime) { bench in
                for code in [0, 1, 42, 255] {
                    let output = try bench.run(script: "echo out; echo err >&2; exit \(code)")
                    #expect(output.status == Int32(code), "\(output)")
                    #expect(output.stdout == "out\n" && output.stderr == "err\n", "\(output)")
                    #expect(bench.stateNames() == [])
                }
                // The first process of a pid namespace does not end by its own signals; it is ended from outside.
                let container = try bench.container("kill -9 -1; sleep 0.1; exec sleep 1000")
                let output = try container.run("--detach")
                #expect(output.status == 0, "\(output)")
                #expect(container.becomes("running"))
            }
        }

        @Test(arguments: OCIRuntime.all) func readsItsInput(_ runtime: OCIRuntime) throws {
            try OCIBench.with(runtime) { bench in
                let text = String(repeating: "line of input\n", count: 20_000)
                let output = try bench.container("wc -c").run(input: text)
                #expect(output.lines == ["\(text.utf8.count)"], "\(output)")
            }
        }

        @Test(arguments: OCIRuntime.all) func mayLetGo(_ runtime: OCIRuntime) throws {
            try OCIBench.with(runtime) { bench in
                let container = try bench.container("echo ran; sleep 1000")
                let file = bench.scratch("pid")
                let output = try container.run("--detach", "--pid-file", file)
                #expect(output.status == 0, "\(output)")
                #expect(container.status == "running" && container.prints("ran"))
                let text = String(decoding: try File.readAll(file), as: UTF8.self)
                #expect(text == "\(container.pid)")
            }
        }

        @Test(arguments: OCIRuntime.all) func passesSignalsOn(_ runtime: OCIRuntime) throws {
            try OCIBench.with(runtime) { bench in
                let container = try bench.container(
                    "trap 'echo terminated; exit 9' TERM; echo ready; while :; do sleep 0.02; done")
                // One shell around it, which sends the signal as soon as the container is ready.
                let out = bench.scratch("said")
                let script = """
                    "$@" > \(out) & pid=$!
                    for i in $(seq 200); do grep -q ready \(out) && break; sleep 0.05; done
                    kill -TERM $pid; wait $pid; echo ended-$?
                    """
                let output = try bench.run(
                    ["run", "--bundle", container.bundle, container.id], under: ["sh", "-c", script, "sh"])
                #expect(output.lines == ["ended-9"], "\(output)")
                let said = String(decoding: try File.readAll(out), as: UTF8.self)
                #expect(said == "ready\nterminated\n")
                #expect(bench.leaks().isEmpty)
            }
        }

        @Test(arguments: OCIRuntime.all) func descriptorsArePreserved(_ runtime: OCIRuntime) throws {
            try OCIBench.with(runtime) { bench in
                let file = try bench.scratch.file("three", "third\n")
                let script = "exec 3<\(file) 4<\(file) 5<\(file); exec \"$@\""
                for (count, expected) in [("0", []), ("1", ["3"]), ("2", ["3", "4"])] {
                    let container = try bench.container(
                        "for n in 3 4 5; do [ -e /proc/self/fd/$n ] && echo $n; done; cat <&3 2>/dev/null")
                    let output = try bench.run(
                        ["run", "--preserve-fds", count, "--bundle", container.bundle, container.id],
                        under: ["sh", "-c", script, "sh"])
                    #expect(output.lines == expected + (count == "0" ? [] : ["third"]), "\(output)")
                }
            }
        }

        /// sd_listen_fds(3).
        @Test(arguments: OCIRuntime.all) func activatedSockets(_ runtime: OCIRuntime) throws {
            try OCIBench.with(runtime) { bench in
                let file = try bench.scratch.file("three", "third\n")
                let container = try bench.container("echo $LISTEN_FDS $LISTEN_PID; cat <&3; cat <&4")
                let script = "exec 3<\(file) 4<\(file); export LISTEN_FDS=2 LISTEN_PID=$$; exec \"$@\""
                let output = try bench.run(
                    ["run", "--bundle", container.bundle, container.id], under: ["sh", "-c", script, "sh"])
                try runtime.deviates([.crun], "crun 1.8.1 does not set LISTEN_PID", isIntermittent: true) {
                    #expect(output.lines == ["2 1", "third", "third"], "\(output)")
                }
            }
        }

        @Test(arguments: OCIRuntime.all) func logsWhatFails(_ runtime: OCIRuntime) throws {
            try OCIBench.with(runtime) { bench in
                let log = bench.scratch("log.json")
                let container = try bench.container { $0["root.path"] = "no-such-root" }
                try bench.expectRefused(
                    ["create", "--bundle", container.bundle, container.id],
                    globals: ["--log", log, "--log-format", "json"])
                let lines = String(decoding: try File.readAll(log), as: UTF8.self).split(separator: "\n")
                let last = try JSONValue(parsing: Array(try #require(lines.last).utf8))
                #expect(last["level"]?.string == "error")
                #expect(last["msg"]?.string?.contains("no-such-root") == true, "\(lines)")
                let time = try #require(last["time"]?.string)
                #expect(time.hasPrefix("20") && time.contains("T"))
                // As text, appended.
                let text = bench.scratch("log.txt")
                try bench.scratch.file("log.txt", "before\n")
                try bench.expectRefused(["state", "nobody"], globals: ["--log", text, "--log-format", "text"])
                let written = String(decoding: try File.readAll(text), as: UTF8.self)
                #expect(written.hasPrefix("before\n") && written.split(separator: "\n").count > 1, "\(written)")
                try bench.expectRefused(["state", "nobody"], globals: ["--log", bench.scratch("no/dir/log")])
                try bench.expectRefused(["state", "nobody"], globals: ["--log-format", "pictures"])
            }
        }

        @Test(arguments: OCIRuntime.all) func theStateIsWhereItIsTold(_ runtime: OCIRuntime) throws {
            try OCIBench.with(runtime) { bench in
                let container = try bench.container("sleep 1000")
                try container.create()
                let own = try bench.run(["--root", bench.scratch("other"), "list", "-q"])
                #expect(own.lines.isEmpty, "\(own)")
                let same = try bench.run(["list", "-q"])
                #expect(same.lines == [container.id], "\(same)")
            }
        }
    }
}
