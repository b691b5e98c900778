internal import Glibc
internal import Sys
internal import TestSupport
import Testing

/// A shell that somebody types into.
enum TypedShell: String, Sendable {
    case bash, zsh, fish

    /// Without anybody's configuration.
    private var arguments: [String] {
        switch self {
        case .bash: ["--norc", "--noprofile", "-i"]
        case .zsh: ["-f", "-i"]
        case .fish: ["--no-config", "-i"]
        }
    }

    private var preparation: String {
        switch self {
        case .bash: "bind 'set bell-style none'"
        case .zsh: "autoload -Uz compinit; compinit -D -u"
        case .fish: "true"
        }
    }

    /// Starts it in `directory` with the completions of `runimg`, which is found by its name.
    func start(_ runimg: Runimg, in directory: String) throws -> PseudoTerminal {
        let script = runimg.scratch("completion.\(rawValue)")
        try runimg.scratch.file("completion.\(rawValue)", try runimg.check("completion", rawValue).stdout)
        let shell = try PseudoTerminal(
            rawValue, arguments,
            environment: [
                "PATH": "\(Runimg.binaryDirectory):/usr/bin:/bin", "HOME": directory, "TERM": "dumb",
                "XDG_CONFIG_HOME": directory, "XDG_DATA_HOME": directory,
            ], rows: 50, columns: 200)
        try shell.type("cd \(directory); \(preparation); source \(script); echo pre''pared\n")
        try shell.expect("prepared")
        return shell
    }
}

extension EndToEnd {
    /// What real shells make of the completion scripts. Each line is typed, completed, and executed: what it did is what
    /// the completion wrote.
    @Suite struct ShellCompletion {
        @Test(.enabled(if: Conditions.has("bash"), "needs bash")) func bash() throws { try completesNames(.bash) }
        @Test(.enabled(if: Conditions.has("zsh"), "needs zsh")) func zsh() throws { try completesNames(.zsh) }
        @Test(.enabled(if: Conditions.has("fish"), "needs fish")) func fish() throws { try completesNames(.fish) }

        @Test("bash executes no name that it completes", .enabled(if: Conditions.has("bash"), "needs bash"))
        func bashIsSafe() throws { try executesNothing(.bash) }
        @Test("zsh executes no name that it completes", .enabled(if: Conditions.has("zsh"), "needs zsh"))
        func zshIsSafe() throws { try executesNothing(.zsh) }
        @Test("fish executes no name that it completes", .enabled(if: Conditions.has("fish"), "needs fish"))
        func fishIsSafe() throws { try executesNothing(.fish) }

        /// A store of its own, that is emptied of containers. What a shell leaves is not what this is about.
        private func store(_ body: (Runimg) throws -> Void) throws {
            let runimg = try Leaks.settled()
            defer { _ = try? runimg.check("rm", "-f", "-v", "--all") }
            try body(runimg)
        }

        private func completesNames(_ shell: TypedShell) throws {
            try store { runimg in
                try runimg.check("create", "--name", "stopped-one", Lifecycle.image, "true")
                try runimg.check("run", "-d", "--name", "running-one", Lifecycle.image, "sleep", "1000")
                try runimg.check("volume", "create", "volume-one")
                let directory = try runimg.scratch.directory("typed")
                let typed = try shell.start(runimg, in: directory)
                let start = "runimg --data-root \(runimg.dataRoot)"
                for (line, end, shown) in [
                    ("inspect -f 'is:{{.Name}}' sto", "", "is:/stopped-one"),
                    ("exec run", "sh -c 'echo in-$((1 + 1))'", "in-2"),
                    ("volume inspect -f 'is:{{.Name}}' vol", "", "is:volume-one"),
                    ("ps -a --format 'is:{{.Names}}' --filter status=crea", "", "is:stopped-one"),
                    ("wait --help --al", "| grep -c -e --all | sed s/^/of-/", "of-1"),
                ] {
                    try typed.type("\(start) \(line)\t")
                    // The word is there, so the next key stands behind it.
                    Wait.sleep(0.6)
                    try typed.type(" \(end)\n")
                    try typed.expect(shown)
                }
                try typed.type("exit\n")
                #expect(try typed.wait() != nil)
            }
        }

        /// A name in a container, of an image or of a container is text wherever it is completed.
        private func executesNothing(_ shell: TypedShell) throws {
            let hostile = "$(touch pwned1)`touch pwned2`;touch pwned3 'q' \"d\" & |x*?[a]{b,c}~#!\\ é"
            try store { runimg in
                let id = try Lifecycle.detached(
                    runimg, "--name", "web", "-e", "NAME=\(hostile)", Lifecycle.image, "sh", "-c",
                    "mkdir /one; echo content > \"/one/$NAME\"; echo ready; sleep 1000")
                #expect(Lifecycle.awaitLog(runimg, id, "ready"))
                try Self.rename(image: hostile, in: runimg)
                let directory = try runimg.scratch.directory("typed")
                let typed = try shell.start(runimg, in: directory)
                let start = "runimg --data-root \(runimg.dataRoot)"
                // Alone, so it is completed to the end; copied, so it is the very name.
                try typed.type("\(start) cp web:/one/\t")
                Wait.sleep(0.6)
                try typed.type(" copied; echo di''d\n")
                try typed.expect("did")
                let copied = try? File.readAll("\(directory)/copied")
                #expect(copied == Array("content\n".utf8), "\(typed.transcript)")
                // Of several a list is shown.
                for line in ["rmi ", "inspect ", "run --volumes-from "] {
                    try typed.type("\(start) \(line)\t\t")
                    Wait.sleep(0.6)
                    try typed.type("\u{15}")
                }
                try typed.type("\u{15}echo al''l\n")
                try typed.expect("all")
                let left = try Directory.entries(directory).map(\.name).filter { $0.hasPrefix("pwned") }
                #expect(left.isEmpty, "\(typed.transcript)")
                try typed.type("exit\n")
                _ = try typed.wait()
            }
        }

        /// Gives the record of names one more, as nobody but root could.
        private static func rename(image name: String, in runimg: Runimg) throws {
            let path = "\(runimg.dataRoot)/image/overlay2/repositories.json"
            let id = try #require(try runimg.check("images", "-q", "--no-trunc").lines.first)
            let escaped = name.replacing("\\", with: "\\\\").replacing("\"", with: "\\\"")
            let json = #"{"Repositories":{"\#(escaped)":{"\#(escaped):1":"\#(id)","\#(escaped):2":"\#(id)"}}}"#
            try File.replace(path, with: Array(json.utf8))
        }

        @Test(.enabled(if: Conditions.has("strace"), "needs strace"))
        func asksLittleAndWaitsForNobody() throws {
            try store { runimg in
                for name in ["one", "two", "three"] {
                    try runimg.check("create", "--name", name, Lifecycle.image, "true")
                }
                try runimg.check("run", "-d", "--name", "four", Lifecycle.image, "sleep", "1000")
                for (line, expected) in [
                    (["start", ""], ["one", "three", "two"]), (["stop", ""], ["four"]), (["rmi", ""], []),
                    (["volume", "rm", ""], []),
                ] {
                    let log = runimg.scratch("calls")
                    let output = try runimg.run(["__complete", "fish"] + line, under: ["strace", "-f", "-o", log])
                    let names = output.lines.dropLast().compactMap { $0.split(separator: "\t").first.map(String.init) }
                    #expect(names == expected, "\(output)")
                    let calls = String(decoding: try File.readAll(log, limit: 1 << 22), as: UTF8.self)
                        .split(separator: "\n")
                    // What is before is the loader's and the runtime's; what is said of it would be of the build.
                    let own = calls.drop { !$0.contains(runimg.dataRoot) || $0.contains("execve(") }
                    #expect(own.count < 120, "\(own.count) calls for \(line)")
                    for call in own {
                        let waits = [
                            "flock(", "F_SETLK", "F_OFD_SETLK", "connect(", "O_CREAT", "O_WRONLY", "O_RDWR", "fork(",
                        ]
                        #expect(!waits.contains { call.contains($0) }, "\(call)")
                    }
                }
            }
        }
    }
}
