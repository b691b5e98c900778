import DockerCLI
import Glibc
import Sys
import Testing

/// What the installed docker client knows must be known here.
@Suite struct HelpTests {
    private static let docker = ["/usr/bin/docker", "/usr/local/bin/docker"].first { File.exists($0) }

    /// The standard output of a program, read to its end.
    private static func output(_ arguments: [String]) throws -> String {
        var ends: [Int32] = [0, 0]
        try #require(pipe2(&ends, O_CLOEXEC) == 0)
        let null = try File.open("/dev/null", O_RDWR)
        let pid = try Spawn.start(
            arguments, environment: ["PATH=/usr/bin:/bin", "HOME=/"], input: null.raw, output: ends[1], error: null.raw)
        close(ends[1])
        var bytes: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 65_536)
        while true {
            let count = read(ends[0], &buffer, buffer.count)
            guard count > 0 else { break }
            bytes += buffer.prefix(count)
        }
        close(ends[0])
        #expect(try Spawn.wait(pid) == .code(0))
        return String(decoding: bytes, as: UTF8.self)
    }

    /// `-m, --memory bytes` and the like, at the start of a line of options.
    private static func flags(_ help: String) -> [String: (short: Unicode.Scalar?, type: String)] {
        var result: [String: (Unicode.Scalar?, String)] = [:]
        for line in help.split(separator: "\n") {
            let words = line.split(separator: " ")
            guard line.hasPrefix("  -") || line.hasPrefix("      --"), let first = words.first else { continue }
            let short = first.hasPrefix("--") ? nil : first.dropFirst().unicodeScalars.first
            let index = short == nil ? 0 : 1
            let name = words[index].dropFirst(2)
            let rest = line[words[index].endIndex...]
            let type = rest.hasPrefix("  ") || rest.isEmpty ? "" : String(words[index + 1])
            result[String(name)] = (short, type)
        }
        return result
    }

    private static func known(_ command: String) -> [FlagInfo] {
        switch command {
        case "run": RunCommand.flags.all.map(\.info)
        case "create": RunFlags.create.map(\.info)
        case "pull": PullCommand.flags.all.map(\.info)
        case "images": ImagesCommand.flags.all.map(\.info)
        case "rmi": RemoveImagesCommand.flags.all.map(\.info)
        case "version": VersionCommand.flags.all.map(\.info)
        case "info": InfoCommand.flags.all.map(\.info)
        default: GlobalFlags.flags.map(\.info)
        }
    }

    @Test(
        .enabled(if: docker != nil, "the docker client is not installed"),
        arguments: ["run", "create", "pull", "images", "rmi", "version", "info", ""])
    func everyFlagOfDockerIsKnown(_ command: String) throws {
        let docker = try #require(Self.docker)
        let theirs = Self.flags(try Self.output([docker] + (command.isEmpty ? [] : [command]) + ["--help"]))
        #expect(theirs.count >= 1)
        let ours = Self.known(command)
        for (name, flag) in theirs where name != "help" {
            guard let info = ours.first(where: { $0.name == name }) else {
                Issue.record("\(command): --\(name) is not in the table")
                continue
            }
            #expect(info.short == flag.short, "--\(name)")
            #expect(info.kind == (flag.type.isEmpty ? .bool : .value(flag.type)), "--\(name)")
        }
        if command == "run" { #expect(theirs.count > 95) }
    }

    @Test(
        .enabled(if: docker != nil, "the docker client is not installed"),
        arguments: [
            "container", "image", "system", "network", "volume", "builder", "context", "manifest", "checkpoint",
            "swarm", "",
        ])
    func everyCommandOfDockerIsKnown(_ group: String) throws {
        let docker = try #require(Self.docker)
        let help = try Self.output([docker] + (group.isEmpty ? [] : [group]) + ["--help"])
        var inCommands = false
        for line in help.split(separator: "\n", omittingEmptySubsequences: false) {
            if !line.hasPrefix(" ") { inCommands = line.hasSuffix("Commands:") }
            guard inCommands, line.hasPrefix("  "), let word = line.split(separator: " ").first else { continue }
            let path = group.isEmpty ? String(word) : "\(group) \(word)"
            let known =
                CommandTable.find(path) != nil || CommandTable.find(group) != nil
                || !CommandTable.members(of: path).isEmpty
            #expect(known, "\(path)")
        }
    }

    @Test func tablesAreSound() {
        for command in ["run", "create", "pull", "images", "rmi", "version", "info", ""] {
            let flags = Self.known(command)
            #expect(Set(flags.map(\.name)).count == flags.count, "\(command): a name twice")
            let shorts = flags.compactMap(\.short)
            #expect(Set(shorts).count == shorts.count, "\(command): a letter twice")
            for flag in flags { #expect(!flag.usage.isEmpty && !flag.usage.hasSuffix("."), "--\(flag.name)") }
        }
        let paths = CommandTable.entries.flatMap { [$0.path] + $0.aliases }
        #expect(Set(paths).count == paths.count)
    }

    @Test func helpOfACommand() {
        let bench = Bench()
        #expect(bench.run("rmi --help") == 0)
        #expect(
            bench.output.text == """
                Usage:  runimg rmi [OPTIONS] IMAGE [IMAGE...]

                Remove images

                Aliases:
                  runimg image rm, runimg image remove, runimg rmi

                Options:
                  -f, --force      Remove even what several names or stopped containers use
                      --no-prune   Keep untagged parents

                Planned (known, and refused until then):
                  --platform

                """)
        #expect(bench.errors.text.isEmpty && bench.engine.removed.isEmpty)
    }

    @Test func wrapsAsDocker() {
        // A last word may stand over by five columns.
        #expect(
            HelpText.wrap("aaaa bbbb cccc dddd eeee ffff", indent: 2, columns: 31) == "aaaa bbbb cccc dddd eeee ffff")
        #expect(
            HelpText.wrap("aaaa bbbb cccc dddd eeee fffff", indent: 2, columns: 31)
                == "aaaa bbbb cccc dddd\n  eeee fffff")
        #expect(
            HelpText.wrap(String(repeating: "x", count: 60), indent: 2, columns: 40)
                == String(repeating: "x", count: 60))
    }
}
