internal import OCIRuntime
internal import Sys

extension Command {
    static let create = Command(
        name: "create", arguments: "ID", summary: "Make a container of a bundle",
        options: CreationOptions.all, count: 1...1
    ) { (line, session) throws(CommandFault) in
        let options = try CreationOptions.read(line)
        _ = try session.call { (runtime) throws(ContainerError) in try runtime.create(line.positionals[0], options) }
        return 0
    }
}

/// The options of `create` and `run`.
enum CreationOptions {
    static let all: [Option] = [
        Option("bundle", short: "b", value: "DIR", "the bundle; the working directory unless given"),
        Option("config", short: "f", value: "FILE", "in place of the bundle's config.json"),
        Option("console-socket", value: "SOCKET", "Unix socket that gets the master of the terminal"),
        Option("pid-file", value: "FILE", "gets the number of the first process"),
        Option("no-pivot", "enter the root without pivot_root(2), as an initramfs needs it"),
        Option("no-new-keyring", "keep the caller's session keyring"),
        Option("preserve-fds", value: "N", "descriptors behind 2 that the command gets"),
        Option("no-subreaper", "accepted"),
    ]

    static func read(_ line: ParsedLine) throws(CommandFault) -> CreateOptions {
        var options = CreateOptions()
        options.bundle = Path.absolute(line["bundle"] ?? ".")
        options.configuration = line["config"].map(Path.absolute)
        options.consoleSocket = line["console-socket"].map(Path.absolute)
        options.pidFile = line["pid-file"].map(Path.absolute)
        options.usesPivot = try !line.isOn("no-pivot")
        options.newKeyring = try !line.isOn("no-new-keyring")
        options.preserved = try PreservedDescriptors.count(line)
        options.activated = PreservedDescriptors.activated
        return options
    }
}

/// Descriptors that the caller hands through.
enum PreservedDescriptors {
    static var activated: UInt32 { Environment["LISTEN_FDS"].flatMap { UInt32($0) } ?? 0 }

    /// What `--preserve-fds` says, and socket activation (sd_listen_fds(3)).
    static func count(_ line: ParsedLine) throws(CommandFault) -> UInt32 {
        let given: UInt32 = try line.number("preserve-fds") ?? 0
        let count = UInt64(given) + UInt64(activated)
        guard count <= 4096 else { throw .usage("--preserve-fds: \(count) descriptors are too many") }
        for number in 0..<Int32(count) where !File.isOpen(3 + number) {
            throw .failed("--preserve-fds: descriptor \(3 + number) is not open")
        }
        return UInt32(count)
    }
}
