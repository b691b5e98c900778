internal import CLinux
internal import Glibc
internal import OCI
internal import Synchronization
internal import Sys
package import Testing

/// A place where a runtime is tried: its state, bundles and control groups, with nobody else's.
package final class OCIBench: Sendable {
    package static let isPossible = Conditions.isRoot && File.exists("/bin/busybox") && !OCIRuntime.all.isEmpty
    package static let requirement: Comment =
        "needs root, busybox-static, and runimg-oci, or crun and runc from make servers"

    package let runtime: OCIRuntime
    package let scratch: Scratch
    /// Below each hierarchy: the parent of all containers' control groups.
    package let cgroup = "runimg-oci-test-\(Random.hex(bytes: 6))"
    private let count = Atomic<Int>(0)
    private let made = Mutex<[String]>([])

    package var state: String { scratch("state") }

    private init(_ runtime: OCIRuntime) throws {
        self.runtime = runtime
        scratch = try Scratch()
        // Users of a user namespace must get to the bundles.
        try Sys.check { chmod(scratch.path, 0o755) }
        try scratch.directory("files")
    }

    /// Runs `body` with a bench of its own. What containers it leaves are removed; a process, mount, control group or
    /// file of the state that outlives them is a failure.
    package static func with(
        _ runtime: OCIRuntime, location: SourceLocation = #_sourceLocation, _ body: (OCIBench) throws -> Void
    ) throws {
        let bench = try OCIBench(runtime)
        defer { bench.clean(location) }
        try body(bench)
    }

    private func clean(_ location: SourceLocation) {
        // Also what a test made by a name of its own.
        for id in Set(made.withLock { $0 } + stateNames()) where File.exists("\(state)/\(id)") {
            _ = try? self("delete", "--force", id)
        }
        for line in leaks() { Issue.record("left behind: \(line)", sourceLocation: location) }
        for group in groups().reversed() { rmdir(group) }
    }

    /// What is there of any container, after some time to go; empty after a clean end.
    package func leaks(seconds: Double = 3) -> [String] {
        var found: [String] = []
        _ = Wait.until(seconds: seconds) {
            found = LeakSnapshot.users(of: scratch.path)
            found += groups().dropFirst(0).filter { !$0.hasSuffix("/\(cgroup)") }.map { "cgroup \($0)" }
            found += stateNames().map { "state \($0)" }
            return found.isEmpty
        }
        return found
    }

    /// The names in the state directory; runtimes keep files of their own with a dot.
    package func stateNames() -> [String] {
        ((try? Directory.entries(state)) ?? []).map(\.name).filter { !$0.hasPrefix(".") }.sorted()
    }

    /// The control groups of all hierarchies below this bench's, parents first.
    package func groups() -> [String] {
        let hierarchies =
            ["/sys/fs/cgroup"]
            + ((try? Directory.entries("/sys/fs/cgroup")) ?? []).map {
                "/sys/fs/cgroup/\($0.name)"
            }
        var found: [String] = []
        for top in Set(hierarchies.map { "\($0)/\(cgroup)" }).sorted() where File.exists(top) {
            var waiting = [top]
            while let next = waiting.popLast() {
                found.append(next)
                for entry in (try? Directory.entries(next)) ?? [] where entry.type == UInt8(DT_DIR) {
                    waiting.append("\(next)/\(entry.name)")
                }
            }
        }
        return found
    }

    // MARK: Running

    package func callAsFunction(_ arguments: String..., input: String = "") throws -> Tool.Output {
        try run(arguments, input: input)
    }

    /// Runs `RUNTIME --root STATE ARGUMENTS` to its end; what it started may go on and keeps writing into the files that
    /// the answer was read from. `prefix` is a command line that starts it.
    package func run(
        _ arguments: [String], globals: [String] = [], input: String = "", under prefix: [String] = [],
        environment: [String: String] = [:], directory: String? = nil, to name: String? = nil, timeout: Double = 60
    ) throws -> Tool.Output {
        let line = prefix + [runtime.path, "--root", state] + globals + arguments
        guard let program = Tool.find(line[0]) else { throw Tool.Missing(name: line[0]) }
        let name = name ?? "run-\(count.add(1, ordering: .relaxed).newValue)"
        try scratch.file("files/\(name).in", input)
        let stdin = try File.open(scratch("files/\(name).in"), O_RDONLY)
        let flags = O_WRONLY | O_CREAT | O_TRUNC | O_APPEND
        let stdout = try File.open(scratch("files/\(name).out"), flags, mode: 0o644)
        let stderr = try File.open(scratch("files/\(name).err"), flags, mode: 0o644)
        let variables = Tool.baseEnvironment.merging(runtime.environment) { $1 }.merging(environment) { $1 }
        var child = try ChildProcess(
            program, Array(line.dropFirst()), environment: variables, directory: directory,
            input: .descriptor(stdin.raw), output: .descriptor(stdout.raw), errors: .descriptor(stderr.raw))
        let ended = try child.wait(seconds: timeout * Wait.patience)
        let result = try ended ?? child.kill()
        var status: Int32?
        var signal: Int32?
        switch result {
        case .exited(let code): status = code
        case .signaled(let number): signal = number
        }
        return Tool.Output(
            command: line.map { $0.count > 200 ? "\($0.prefix(200))…" : $0 }.joined(separator: " "), status: status,
            signal: signal, stdoutBytes: try File.readAll(scratch("files/\(name).out"), limit: 64 << 20),
            stderrBytes: try File.readAll(scratch("files/\(name).err"), limit: 64 << 20), timedOut: ended == nil,
            lingering: false)
    }

    /// Runs a verb, which must end well.
    @discardableResult
    package func check(_ arguments: String..., input: String = "") throws -> Tool.Output {
        let output = try run(arguments, input: input)
        guard output.status == 0 else { throw Tool.Failure(output: output) }
        return output
    }

    /// Expects that a verb is refused with a message, and that no container, control group, process or mount came of it.
    package func expectRefused(
        _ arguments: String..., globals: [String] = [], directory: String? = nil,
        location: SourceLocation = #_sourceLocation
    ) throws {
        try expectRefused(arguments, globals: globals, directory: directory, location: location)
    }

    package func expectRefused(
        _ arguments: [String], globals: [String] = [], directory: String? = nil, under prefix: [String] = [],
        location: SourceLocation = #_sourceLocation
    ) throws {
        let before = (stateNames(), Set(groups()))
        let output = try run(arguments, globals: globals, under: prefix, directory: directory)
        #expect(output.status != 0 && output.signal == nil && !output.timedOut, "\(output)", sourceLocation: location)
        if output.status == 0 { return }
        #expect(!output.stderr.isEmpty || !output.stdout.isEmpty, "\(output)", sourceLocation: location)
        #expect(stateNames() == before.0, "\(output)", sourceLocation: location)
        let new = { Set(self.groups()).subtracting(before.1).filter { !$0.hasSuffix("/\(self.cgroup)") } }
        #expect(Wait.until(seconds: 2) { new().isEmpty }, "\(new()) after \(output)", sourceLocation: location)
    }

    // MARK: Containers

    /// A bundle that nothing was done with.
    package func container(_ change: (inout OCIConfig) throws -> Void = { _ in }) throws -> OCIContainer {
        let number = count.add(1, ordering: .relaxed).newValue
        let id = "c\(number)-\(cgroup.suffix(6))"
        made.withLock { $0.append(id) }
        return try OCIContainer(self, id: id, cgroup: "/\(cgroup)/\(id)", change)
    }

    /// One whose program is a shell with a script.
    package func container(
        _ script: String, _ change: (inout OCIConfig) throws -> Void = { _ in }
    ) throws -> OCIContainer {
        try container { config in
            config["process.args"] = ["sh", "-c", .string(script)]
            try change(&config)
        }
    }

    /// `run`s a shell script to its end.
    package func run(
        script: String, _ change: (inout OCIConfig) throws -> Void = { _ in }
    ) throws -> Tool.Output {
        try container(script, change).run()
    }

    /// The lines that a script prints, which must end well.
    package func lines(
        _ script: String, _ change: (inout OCIConfig) throws -> Void = { _ in }
    ) throws -> [String] {
        let output = try run(script: script, change)
        guard output.status == 0 else { throw Tool.Failure(output: output) }
        return output.lines
    }

    /// Expects that a script ends well and prints exactly these lines.
    package func expect(
        _ script: String, prints expected: [String], location: SourceLocation = #_sourceLocation,
        _ change: (inout OCIConfig) throws -> Void = { _ in }
    ) throws {
        let output = try run(script: script, change)
        #expect(output.status == 0 && output.lines == expected, "\(output)", sourceLocation: location)
    }

    /// Expects that no container comes of a configuration.
    package func expectRefused(
        _ change: (inout OCIConfig) throws -> Void, location: SourceLocation = #_sourceLocation
    ) throws {
        let container = try container(change)
        try expectRefused(["create", "--bundle", container.bundle, container.id], location: location)
    }
}

extension LeakSnapshot {
    /// Removes those that are empty, with what is empty below them: callers leave parents behind. Their helpers, such as
    /// conmon, end a moment after the container, so that a group may still be in use at first.
    package static func removeCgroups(named text: String) {
        _ = Wait.until(seconds: 20) {
            let groups = cgroups(named: text)
            for group in groups {
                _ = try? Tool.run("find", [group, "-depth", "-type", "d", "-exec", "rmdir", "{}", ";"])
            }
            return groups.isEmpty
        }
    }

    /// Processes that were started for a directory, and mounts of it or in it.
    package static func remains(of place: String) -> [String] { users(of: place) }

    /// Directories of all hierarchies with a text in their name.
    package static func cgroups(named text: String) -> [String] {
        let output = try? Tool.run("find", ["/sys/fs/cgroup", "-type", "d", "-name", "*\(text)*"])
        return output?.lines ?? []
    }
}
