internal import Glibc
package import OCI
internal import Sys

/// An OCI runtime of somebody else's that makes a container in our place, by the command line that runc, crun and their
/// kin share. What it makes are processes of this kernel: they are followed, signalled and limited as our own are.
package struct ExternalRuntime: Sendable, Hashable {
    /// As the user calls it, for messages.
    package let name: String
    package let path: String
    /// Ahead of its verb.
    package let arguments: [String]
    /// The container's.
    package let id: String
    /// The container's bundle, which has the runtime's own state in it as well: all of it goes with the directory.
    package let bundle: String

    package init(name: String, path: String, arguments: [String], id: String, bundle: String) {
        self.name = name
        self.path = path
        self.arguments = arguments
        self.id = id
        self.bundle = bundle
    }

    /// Where the container finds the init that `--init` asks for: in memory, so that no file of the image's comes of it.
    package static let initPlace = "/dev/.runimg-init"

    /// The first process of the container, which the bundle describes.
    package func container(terminal: Bool) -> ExternalProcess {
        ExternalProcess(runtime: self, directory: bundle, isFurther: false, hasTerminal: terminal)
    }

    /// A further one, described by a file in `directory`.
    package func process(in directory: String, terminal: Bool) -> ExternalProcess {
        ExternalProcess(runtime: self, directory: directory, isFurther: true, hasTerminal: terminal)
    }

    /// Where the runtime finds what another container has mounted at `destination`, in a mount namespace of its own.
    package func place(of destination: String) -> String {
        "\(bundle)/shared-" + destination.split(separator: "/").joined(separator: "-")
    }

    /// Writes the init that `--init` asks for into the bundle, and returns its path.
    package func writeInit() throws(RuntimeError) -> String {
        let path = "\(bundle)/init"
        try InitStub.write(to: path, mode: 0o755)
        return path
    }

    /// The command under that init. `environment` has the PATH by which it is looked up.
    package static func underInit(_ process: Spec.Process) -> [String] {
        var steps = ProcessSteps(
            id: "", process: process, seccomp: nil, stdio: StandardIO(), diesWithParent: false, keepsGroups: true)
        steps.newKeyring = false
        return [initPlace] + steps.arguments(.supervise).dropFirst()
    }

    /// Removes what the runtime still has of the container, its processes with it. Throws for what it says stays.
    package func delete() throws(RuntimeError) {
        try container(terminal: false).run(["delete", "--force", id], to: "remove what it has of the container")
    }

    fileprivate var stateDirectory: String { "\(bundle)/state" }
}

/// One process that an external runtime makes, and the directory with the files by which it tells of it.
package struct ExternalProcess: Sendable, Hashable {
    package let runtime: ExternalRuntime
    package let directory: String
    /// Whether it is a further one of a container that runs.
    let isFurther: Bool
    let hasTerminal: Bool

    /// For a further process, as the runtime takes it (`--process`).
    package var description: String { "\(directory)/process.json" }

    private var log: String { "\(directory)/log" }
    private var pidFile: String { "\(directory)/pid" }
    /// By this name alone, from the directory: a socket's address has room for 107 bytes.
    private static let consoleName = "console"

    /// What makes the process and leaves it to whoever takes in orphans; to be run in the directory.
    var commandLine: [String] {
        let console = hasTerminal ? ["--console-socket", ExternalProcess.consoleName] : []
        let verb =
            isFurther
            ? ["exec", "--detach", "--process", description, "--pid-file", pidFile]
            : ["create", "--bundle", directory, "--pid-file", pidFile]
        return line(verb + console + [runtime.id])
    }

    private func line(_ rest: [String]) -> [String] {
        [runtime.path] + runtime.arguments
            + ["--root", runtime.stateDirectory, "--log", log, "--log-format", "json"] + rest
    }

    /// The runtime needs a PATH for helpers of its own, and a user's needs the user's places.
    static var environment: [String] {
        let kept = ["HOME", "XDG_RUNTIME_DIR"].compactMap { name in Environment[name].map { "\(name)=\($0)" } }
        return ["PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"] + kept
    }

    /// Where the terminal's master is sent to; nil where there is none.
    func listenForTerminal() throws(RuntimeError) -> OwnedDescriptor? {
        if !hasTerminal { return nil }
        do throws(Errno) {
            let parent = try Directory.open(directory)
            try? File.unlink(ExternalProcess.consoleName, at: parent.raw)
            return OwnedDescriptor(try StreamSocket.listen(ExternalProcess.consoleName, in: parent.raw))
        } catch {
            throw .system(operation: "listen for a terminal in", subject: directory, error)
        }
    }

    /// The terminal that was sent there by now.
    func receiveTerminal(_ listener: Int32) throws(RuntimeError) -> OwnedFD {
        do throws(Errno) {
            if let connection = try StreamSocket.accept(listener, milliseconds: 0) {
                defer { withExtendedLifetime(connection) {} }
                if let terminal = try StreamSocket.receiveDescriptor(connection.raw, limit: 4096).1 {
                    return try terminal.duplicate()
                }
            }
        } catch {
            throw .system(operation: "receive the terminal of", subject: runtime.name, error)
        }
        throw .lostChild("\(runtime.name) sent no terminal")
    }

    /// The number of the process, once the runtime has ended. Throws what that says where there is none.
    func number() throws(RuntimeError) -> pid_t {
        let text = (try? File.readAll(pidFile, limit: 64)).map { String(decoding: $0, as: UTF8.self) }
        if let word = text?.split(whereSeparator: \.isWhitespace).first, let number = pid_t(word), number > 0 {
            return number
        }
        throw failure(to: isFurther ? "start the process" : "make the container")
    }

    /// Lets a container that was made run its command.
    func start() throws(RuntimeError) {
        if !isFurther { try run(["start", runtime.id], to: "start the container") }
    }

    /// Runs the runtime, and waits for it.
    fileprivate func run(_ verb: [String], to purpose: String) throws(RuntimeError) {
        let exit: Spawn.Exit
        do throws(Errno) {
            let null = try File.open("/dev/null", O_RDWR)
            exit = try Spawn.wait(
                try Spawn.start(
                    line(verb), environment: ExternalProcess.environment, input: null.raw, output: null.raw,
                    error: null.raw))
        } catch {
            throw .system(operation: "run", subject: runtime.path, error)
        }
        if exit != .code(0) { throw failure(to: purpose) }
    }

    /// What its log says last. Of a command that can't be executed it says so in words alone: docker's exit codes are
    /// found by these.
    private func failure(to purpose: String) -> RuntimeError {
        let lines = (try? File.readAll(log, limit: 1 << 20)).map { String(decoding: $0, as: UTF8.self) } ?? ""
        var last: String?
        for line in lines.split(separator: "\n") {
            guard let entry = try? JSONValue(parsing: Array(line.utf8)), let text = entry["msg"]?.string else {
                continue
            }
            if ["error", "fatal"].contains(entry["level"]?.string ?? "") || last == nil { last = text }
        }
        guard let last else {
            return .setup(
                step: "\(runtime.name): \(purpose)", detail: "it failed and wrote nothing into its log",
                remedy: "run \(runtime.path) --version to see whether it works at all")
        }
        let text = "\(runtime.name): \(last)"
        let words = last.lowercased()
        if words.contains("not found in $path") { return .commandNotFound(text) }
        guard words.contains("exec") else {
            return .setup(step: "\(runtime.name): \(purpose)", detail: last, remedy: nil)
        }
        if words.contains("no such file or directory") { return .commandNotFound(text) }
        for reason in ["permission denied", "operation not permitted", "exec format error", "is a directory"]
        where words.contains(reason) {
            return .commandNotExecutable(text)
        }
        return .setup(step: "\(runtime.name): \(purpose)", detail: last, remedy: nil)
    }
}
