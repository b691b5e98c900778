internal import OCI
internal import Sys
internal import TestSupport
internal import Testing

extension OCIRuntimeTests {
    /// `process.terminal`, and runc's way to hand the terminal's other side over.
    @Suite struct Console {
        @Test(arguments: OCIRuntime.all) func isTheContainersControllingTerminal(_ runtime: OCIRuntime) throws {
            try OCIBench.with(runtime) { bench in
                let socket = try ConsoleSocket(bench.scratch)
                let script = """
                    tty; stty size; test -t 0 -a -t 1 -a -t 2 && echo all; echo to-tty > /dev/tty
                    stat -c '%t:%T %a' /dev/console; echo to-console > /dev/console; read line; echo got-$line; exit 3
                    """
                let container = try bench.container(script) {
                    $0["process.terminal"] = true
                    $0["process.consoleSize"] = ["height": 33, "width": 101]
                }
                try container.create("--console-socket", socket.path)
                try socket.receive()
                #expect(socket.size == [33, 101])
                try container.start()
                var said = socket.read(until: "to-console\r\n")
                #expect(said.hasPrefix("/dev/pts/0\r\n33 101\r\nall\r\nto-tty\r\n88:0 6"), "\(said)")
                try socket.type("typed\r")
                said = socket.read(until: "got-typed")
                #expect(said.contains("got-typed"), "\(said)")
                #expect(container.becomes("stopped"))
            }
        }

        @Test(arguments: OCIRuntime.all) func interruptsByKey(_ runtime: OCIRuntime) throws {
            try OCIBench.with(runtime) { bench in
                let socket = try ConsoleSocket(bench.scratch)
                let container = try bench.container(
                    "trap 'echo interrupted; exit' INT; echo ready; while :; do sleep 0.05; done"
                ) { $0["process.terminal"] = true }
                try container.create("--console-socket", socket.path)
                try socket.receive()
                try container.start()
                _ = socket.read(until: "ready")
                try socket.type("\u{3}")
                let said = socket.read(until: "interrupted")
                #expect(said.contains("interrupted"), "\(said)")
            }
        }

        @Test(arguments: OCIRuntime.all) func needsASocketToGoTo(_ runtime: OCIRuntime) throws {
            try OCIBench.with(runtime) { bench in
                try bench.expectRefused { $0["process.terminal"] = true }
                let container = try bench.container("true") { $0["process.terminal"] = true }
                try bench.expectRefused(
                    "create", "--bundle", container.bundle, "--console-socket", bench.scratch("nobody"), container.id)
                let plain = try bench.container("true")
                let socket = try ConsoleSocket(bench.scratch)
                try runtime.deviates([.crun], "crun 1.8.1 passes over a socket that is not needed") {
                    try bench.expectRefused(
                        "create", "--bundle", plain.bundle, "--console-socket", socket.path, plain.id)
                }
            }
        }

        @Test(arguments: OCIRuntime.all) func aFurtherProcessMayHaveOne(_ runtime: OCIRuntime) throws {
            try OCIBench.with(runtime) { bench in
                let container = try bench.container("sleep 1000")
                try container.launch()
                let socket = try ConsoleSocket(bench.scratch)
                let script = "tty; test -t 2 && echo yes; read line; echo got-$line > /dev/tty; exit 4"
                let output = try bench.run([
                    "exec", "--tty", "--detach", "--console-socket", socket.path, container.id, "sh", "-c", script,
                ])
                #expect(output.status == 0, "\(output)")
                try socket.receive()
                // What is typed before is shown between.
                _ = socket.read(until: "yes\r\n")
                try socket.type("typed\r")
                let said = socket.read(until: "got-typed")
                #expect(said.contains("/dev/pts/0\r\nyes\r\n") && said.contains("got-typed"), "\(said)")
            }
        }
    }
}
