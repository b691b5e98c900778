internal import Glibc
internal import Sys

/// The program under test, with a data root, a configuration and a home of its own.
package final class Runimg: Sendable {
    /// Where the executables are: those that users get when `make test` runs us, else the debug build's.
    package static let binaryDirectory: String = {
        if let directory = getenv("RUNIMG_BIN_DIR") {
            let path = String(cString: directory)
            return path.hasPrefix("/") ? path : "\(PackageTree.root)/\(path)"
        }
        return "\(PackageTree.root)/.build/debug"
    }()

    package static let path = "\(binaryDirectory)/runimg"
    package static let workerPath = "\(binaryDirectory)/runimg-image"

    package let scratch: Scratch
    /// The user whose commands these are; nil for root.
    package let user: OrdinaryUser?
    package var dataRoot: String { user == nil ? scratch("data") : scratch("home/.local/share/runimg") }
    package var runDirectory: String { user == nil ? "/run/runimg" : scratch("run/runimg") }
    package var configFile: String { scratch("config.json") }
    private let environment: [String: String]
    private let prison: [String]
    package var isImprisoned: Bool { !prison.isEmpty }

    /// `configuration` is JSON in the form of docker's daemon.json. `isImprisoned`: no command can have a user namespace.
    package init(
        configuration: String = "{}", environment: [String: String] = [:], user: OrdinaryUser? = nil,
        isImprisoned: Bool = false
    ) throws {
        scratch = try Scratch()
        self.user = user
        prison = isImprisoned ? Runimg.prison + [try scratch.directory("root")] : []
        try scratch.file("config.json", configuration)
        try scratch.directory("docker", mode: 0o700)
        // No proxy, credential or default of the developer's reaches a test.
        var own = ["DOCKER_CONFIG": scratch("docker")]
        if let user {
            let place = scratch
            try Sys.check { chmod(place.path, 0o755) }
            for name in ["home", "run", "docker"] {
                try place.directory(name, mode: 0o700)
                try Sys.check { chown(place(name), user.uid, user.uid) }
            }
            own["HOME"] = scratch("home")
            own["XDG_RUNTIME_DIR"] = scratch("run")
        }
        self.environment = own.merging(environment) { $1 }
    }

    /// Runs a command line in a chroot, where nobody can make a user namespace (user_namespaces(7)): the whole file system
    /// once more, at the directory that follows. What other tests have mounted does not stay mounted for it.
    private static let prison = [
        "unshare", "-m", "sh", "-c",
        #"""
        grep -E ' - (fuse\.|overlay )' /proc/self/mountinfo | cut -d' ' -f5 | sort -r | xargs -r -n1 umount -l
        mount --rbind / "$0" && exec chroot "$0" "$@"
        """#,
    ]

    /// One whose Docker Hub is a registry of the suite.
    package convenience init(mirror: RealRegistry) throws {
        try self.init(configuration: #"{"registry-mirrors": ["\#(mirror.url)"]}"#)
    }

    /// Runs `runimg ARGUMENTS` to its end.
    package func callAsFunction(
        _ arguments: String..., input: String = "", environment: [String: String] = [:], timeout: Double = 60
    ) throws -> Tool.Output {
        try run(arguments, input: Array(input.utf8), environment: environment, timeout: timeout)
    }

    /// `prefix` is a command line that starts it: strace with a fault, another network namespace.
    package func run(
        _ arguments: [String], under prefix: [String] = [], input: [UInt8] = [], environment: [String: String] = [:],
        timeout: Double = 60
    ) throws -> Tool.Output {
        let line = prefix + command(arguments)
        return try Tool.run(
            line[0], Array(line.dropFirst()), environment: self.environment.merging(environment) { $1 }, input: input,
            timeout: timeout)
    }

    /// The whole command line of `runimg ARGUMENTS`, with another data root where that is said.
    package func command(_ arguments: [String], dataRoot: String? = nil) -> [String] {
        let own = user == nil ? ["--data-root", dataRoot ?? self.dataRoot] : []
        return prison + (user?.command ?? []) + [Runimg.path] + own + ["--config-file", configFile] + arguments
    }

    /// Runs and throws unless the exit status is 0.
    @discardableResult
    package func check(_ arguments: String..., timeout: Double = 60) throws -> Tool.Output {
        let output = try run(arguments, timeout: timeout)
        guard output.status == 0 else { throw Tool.Failure(output: output) }
        return output
    }

    /// Starts `runimg ARGUMENTS` on a terminal.
    package func terminal(_ arguments: String..., rows: UInt16 = 24, columns: UInt16 = 80) throws -> PseudoTerminal {
        try terminal(arguments, rows: rows, columns: columns)
    }

    package func terminal(_ arguments: [String], rows: UInt16 = 24, columns: UInt16 = 80) throws -> PseudoTerminal {
        let line = command(arguments)
        return try PseudoTerminal(
            line[0], Array(line.dropFirst()), environment: environment, rows: rows, columns: columns)
    }

    /// Starts `runimg ARGUMENTS` and leaves it running, with its output in the files `out` and `err` of the scratch
    /// directory.
    package func start(_ arguments: String..., input: ChildProcess.Stream = .null) throws -> ChildProcess {
        let flags = O_WRONLY | O_CREAT | O_TRUNC
        let output = try File.open(scratch("out"), flags, mode: 0o644)
        let errors = try File.open(scratch("err"), flags, mode: 0o644)
        let line = command(arguments)
        return try ChildProcess(
            Tool.find(line[0]) ?? line[0], Array(line.dropFirst()),
            environment: Tool.baseEnvironment.merging(environment) { $1 },
            input: input, output: .descriptor(output.raw), errors: .descriptor(errors.raw))
    }

    /// Kills a command that was started, and removes all containers with what they run: they outlive it.
    package func end(_ child: inout ChildProcess) throws {
        try child.kill()
        try check("rm", "-f", "-v", "--all")
    }

    /// Waits until no container of this data root is served any more, and has what dead ones left cleaned up.
    package func settle() throws {
        let isQuiet = Wait.until(seconds: 30) {
            let entries = (try? Directory.entries(runDirectory).map(\.name)) ?? []
            return !entries.contains { name in
                let state = (try? File.readAll("\(runDirectory)/\(name)/state.json", limit: 1 << 16)) ?? []
                // JSON may escape slashes.
                let text = String(decoding: state.filter { $0 != UInt8(ascii: "\\") }, as: UTF8.self)
                let isServed = (try? Tool.run("pgrep", ["-f", name]).status) == 0
                return text.contains("\"\(dataRoot)\"") && isServed
            }
        }
        if !isQuiet { throw Failure(description: "containers of \(dataRoot) did not end") }
        try check("images")
    }

    package struct Failure: Error, CustomStringConvertible {
        package let description: String
    }

    /// What a command started by `start` has said so far.
    package var startedOutput: String {
        String(decoding: (try? File.readAll(scratch("out"))) ?? [], as: UTF8.self)
    }

    package var startedErrors: String {
        String(decoding: (try? File.readAll(scratch("err"))) ?? [], as: UTF8.self)
    }

    /// The store's names, kinds, modes, owners and bytes; nothing when there is no store yet.
    package func storeListing() throws -> [String: TreeListing.Entry] {
        // What was removed a moment ago may be deleted behind the command.
        _ = Wait.until(seconds: 20) { self.leftToDelete.isEmpty }
        return File.exists(dataRoot) ? try TreeListing(dataRoot, .contents).entries : [:]
    }

    /// What lies in staging when that is gone.
    package func staged() throws -> [String] {
        _ = Wait.until(seconds: 20) { self.leftToDelete.isEmpty }
        return try Directory.entries("\(dataRoot)/tmp").map(\.name)
    }

    /// Directories on their way out.
    private var leftToDelete: [String] {
        ((try? Directory.entries("\(dataRoot)/tmp")) ?? []).map(\.name).filter { $0.hasPrefix("removed-") }
    }
}
