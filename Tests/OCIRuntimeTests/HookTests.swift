internal import OCI
internal import Sys
internal import TestSupport
internal import Testing

extension OCIRuntimeTests {
    /// config.md, "POSIX-platform Hooks".
    @Suite struct Hooks {
        static let kinds = [
            "prestart", "createRuntime", "createContainer", "startContainer", "poststart", "poststop",
        ]

        /// A container whose hooks note what they are given in a directory that it sees as /log; `scripts` replace that.
        static func container(
            _ bench: OCIBench, _ scripts: [String: String] = [:], _ change: (inout OCIConfig) throws -> Void = { _ in }
        ) throws -> OCIContainer {
            let log = try bench.scratch.directory("log", mode: 0o777)
            return try bench.container("echo program >> /log/order; echo ran; sleep 1000") { config in
                config.mount("/log", "bind", log, "bind", "rw")
                for kind in kinds {
                    let place = kind == "startContainer" ? "/log" : log
                    let note = """
                        cat > \(place)/\(kind).state; echo \(kind) >> \(place)/order
                        readlink /proc/self/ns/mnt > \(place)/\(kind).mnt
                        """
                    config.hook(kind, note + "\n" + (scripts[kind] ?? ""))
                }
                try change(&config)
            }
        }

        static func noted(_ bench: OCIBench, _ name: String) throws -> String {
            let path = bench.scratch("log/\(name)")
            guard File.exists(path) else { return "" }
            return String(decoding: try File.readAll(path), as: UTF8.self)
        }

        static func order(_ bench: OCIBench) throws -> [String] {
            try noted(bench, "order").split(separator: "\n").map(String.init)
        }

        @Test(arguments: OCIRuntime.all) func runInOrderAtTheirTime(_ runtime: OCIRuntime) throws {
            try OCIBench.with(runtime) { bench in
                let container = try Self.container(bench)
                try container.create()
                let early = try Self.order(bench)
                #expect(early.prefix(3) == ["prestart", "createRuntime", "createContainer"])
                try container.start()
                #expect(container.prints("ran"))
                let order = try Self.order(bench)
                let reason: Comment = "runc 1.1.5 runs poststart at the end of create, crun 1.8.1 beside startContainer"
                try runtime.deviates([.runc, .crun], reason, isIntermittent: true) {
                    #expect(early.count == 3)
                    #expect(Array(order.prefix(4)) == early + ["startContainer"])
                    // The program runs already when poststart is called.
                    #expect(Set(order.dropFirst(4)) == ["program", "poststart"])
                }
                try container.kill()
                #expect(container.becomes("stopped"))
                #expect(try Self.order(bench).count == 6)
                try container.delete()
                #expect(try Self.order(bench).last == "poststop")
            }
        }

        private static let statuses = [
            "poststart": ["running"], "poststop": ["stopped"], "startContainer": ["created"],
        ]

        @Test(arguments: OCIRuntime.all) func getTheState(_ runtime: OCIRuntime) throws {
            try OCIBench.with(runtime) { bench in
                let container = try Self.container(bench) { $0["annotations"] = ["a": "b"] }
                try container.create()
                let pid = Int64(container.pid)
                try container.start()
                try container.kill()
                #expect(container.becomes("stopped"))
                try container.delete()
                for kind in Self.kinds {
                    let state = try JSONValue(parsing: Array(try Self.noted(bench, "\(kind).state").utf8))
                    #expect(state["id"]?.string == container.id, "\(kind)")
                    let isInside = kind == "startContainer"
                    try runtime.deviates(isInside ? [.crun] : [], "crun 1.8.1 says '/' inside the container") {
                        #expect(state["bundle"]?.string == container.bundle, "\(kind)")
                    }
                    #expect(state["annotations"]?["a"]?.string == "b", "\(kind)")
                    #expect(state["ociVersion"]?.string?.hasPrefix("1.") == true, "\(kind)")
                    let status = state["status"]?.string ?? "none"
                    let allowed = Self.statuses[kind] ?? ["creating", "created"]
                    let early: Set<OCIRuntime.Kind> =
                        kind == "poststart" ? [.runc] : kind == "startContainer" ? [.crun] : []
                    try runtime.deviates(early, "runc 1.1.5 runs poststart early; crun 1.8.1 says 'starting'") {
                        #expect(allowed.contains(status), "\(kind): \(status)")
                    }
                    // In a namespace of its own the container may count from 1.
                    if ["prestart", "createRuntime", "poststart"].contains(kind) {
                        #expect(state["pid"]?.integer == pid, "\(kind)")
                    }
                }
            }
        }

        @Test(arguments: OCIRuntime.all) func areInTheirNamespaces(_ runtime: OCIRuntime) throws {
            try OCIBench.with(runtime) { bench in
                let container = try Self.container(bench)
                try container.create()
                try container.start()
                let inside = try File.readLink("/proc/\(container.pid)/ns/mnt") + "\n"
                #expect(try Self.noted(bench, "createContainer.mnt") == inside)
                #expect(try Self.noted(bench, "startContainer.mnt") == inside)
                for kind in ["prestart", "createRuntime", "poststart"] {
                    #expect(try Self.noted(bench, "\(kind).mnt") != inside, "\(kind)")
                }
            }
        }

        /// The namespaces are there by then, and callers set up networks in them.
        @Test(arguments: OCIRuntime.all) func createRuntimeSeesTheNetwork(_ runtime: OCIRuntime) throws {
            try OCIBench.with(runtime) { bench in
                let file = bench.scratch("devices")
                let script = #"""
                    pid=$(sed 's/.*"pid": *\([0-9]*\).*/\1/' | tr -dc 0-9 | head -c 9)
                    nsenter -n -t $pid cat /proc/net/dev > \#(file); readlink /proc/$pid/ns/net >> \#(file)
                    """#
                let container = try bench.container("true") {
                    $0.hook("createRuntime", "tr -d '\\n' | { \(script)\n}")
                }
                try container.create()
                let said = String(decoding: try File.readAll(file), as: UTF8.self)
                #expect(said.contains("lo:"), "\(said)")
                #expect(said.contains(try File.readLink("/proc/\(container.pid)/ns/net")), "\(said)")
            }
        }

        @Test(arguments: OCIRuntime.all) func getTheirArgumentsAndEnvironmentOnly(_ runtime: OCIRuntime) throws {
            try OCIBench.with(runtime) { bench in
                let file = bench.scratch("said")
                let script = "printf '[%s]' \"$0\" \"$@\" > \(file); tr '\\0' '\\n' < /proc/$$/environ >> \(file)"
                let container = try bench.container("true") {
                    $0["hooks.createRuntime"] = [
                        [
                            "path": "/bin/sh", "args": ["name", "-c", .string(script), "zero", "", "a b", "'"],
                            "env": ["ONE=1", "TWO=a b"],
                        ]
                    ]
                }
                try container.create()
                let said = String(decoding: try File.readAll(file), as: UTF8.self)
                #expect(said == "[zero][][a b][']ONE=1\nTWO=a b\n", "\(said)")
            }
        }

        /// By which one file is many programs: execve(2) tells path and first argument apart.
        @Test(arguments: OCIRuntime.all) func areCalledByTheirFirstArgument(_ runtime: OCIRuntime) throws {
            try OCIBench.with(runtime) { bench in
                let made = bench.scratch("made")
                let container = try bench.container("true") { config in
                    for kind in ["createRuntime", "createContainer"] {
                        config["hooks.\(kind)"] = [
                            ["path": "/bin/busybox", "args": ["touch", .string("\(made)-\(kind)")]]
                        ]
                    }
                }
                try container.create()
                #expect(File.exists("\(made)-createRuntime") && File.exists("\(made)-createContainer"))
            }
        }

        @Test(arguments: OCIRuntime.all) func severalOfAKindRunInOrder(_ runtime: OCIRuntime) throws {
            try OCIBench.with(runtime) { bench in
                let file = bench.scratch("said")
                let container = try bench.container("true") { config in
                    for number in 1...5 { config.hook("createRuntime", "cat >/dev/null; echo \(number) >> \(file)") }
                    config.hook("prestart", "echo 0 >> \(file)")
                }
                try container.create()
                #expect(String(decoding: try File.readAll(file), as: UTF8.self) == "0\n1\n2\n3\n4\n5\n")
            }
        }

        /// One that reads nothing of a state that is longer than a pipe.
        @Test(arguments: OCIRuntime.all) func needNotRead(_ runtime: OCIRuntime) throws {
            try OCIBench.with(runtime) { bench in
                let container = try bench.container("true") { config in
                    config["annotations"] = ["long": .string(String(repeating: "x", count: 200_000))]
                    config.hook("prestart", "exec <&-; exit 0")
                    config.hook("createRuntime", "test $(wc -c) -gt 200000")
                }
                try runtime.deviates(
                    [.crun, .runc], "crun 1.8.1 and runc 1.1.5 take a hook that does not read all for one that failed",
                    isIntermittent: true
                ) { try container.create() }
            }
        }
    }
}
