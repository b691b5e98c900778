internal import Glibc
internal import OCI
internal import OCIRuntime
internal import Sys

extension Command {
    static let ps = Command(
        name: "ps", arguments: "ID [PS OPTIONS]", summary: "List the processes of a container",
        options: [Option("format", short: "f", value: "table|json", "how; json prints the numbers")],
        count: 1...Int.max, stops: true
    ) { (line, session) throws(CommandFault) in
        var arguments = line.positionals
        let id = arguments.removeFirst()
        let pids = try session.call { (runtime) throws(ContainerError) in try runtime.processes(of: id) }
        switch line["format"] ?? "table" {
        case "json": session.output(JSONValue.array(pids.map { .number($0) }).text + "\n")
        case "table": session.output(try HostProcesses.table(of: Set(pids), arguments.isEmpty ? ["-ef"] : arguments))
        case let format: throw .usage("invalid format \(format): neither table nor json")
        }
        return 0
    }
}

/// What the host's ps(1) prints of some processes.
private enum HostProcesses {
    static func table(of pids: Set<Int32>, _ arguments: [String]) throws(CommandFault) -> String {
        let lines = try printed(arguments).split(separator: "\n")
        guard let title = lines.first,
            let column = title.split(separator: " ").firstIndex(of: "PID")
        else { throw .failed("ps \(arguments.joined(separator: " ")) prints no column PID") }
        let kept = lines.dropFirst().filter { line in
            let words = line.split(separator: " ")
            return words.count > column && Int32(words[column]).map { pids.contains($0) } == true
        }
        return ([title] + kept).map { "\($0)\n" }.joined()
    }

    private static func printed(_ arguments: [String]) throws(CommandFault) -> String {
        let directories = (Environment["PATH"] ?? "/usr/bin:/bin").split(separator: ":")
        guard let program = directories.map({ "\($0)/ps" }).first(where: { File.exists($0) }) else {
            throw .failed("run ps: it is not in the PATH; --format json needs no program")
        }
        do throws(Errno) {
            let pipe = try Pipe()
            let null = try File.open("/dev/null", O_RDONLY)
            let pid = try Spawn.start(
                ["ps"] + arguments, executable: program, environment: Environment.all, input: null.raw,
                output: pipe.writer.raw, error: STDERR_FILENO)
            let reader = pipe.keepReader()
            let text = try File.readAll(reader.raw, limit: 64 << 20)
            let exit = try Spawn.wait(pid)
            if exit == .code(0) { return String(decoding: text, as: UTF8.self) }
        } catch {
            throw .failed("run \(program): \(error)")
        }
        throw .failed("ps \(arguments.joined(separator: " ")) failed")
    }
}
