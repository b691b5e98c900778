internal import OCIRuntime
internal import Sys

extension Command {
    static let start = Command(
        name: "start", arguments: "ID", summary: "Execute the command of a created container", options: [],
        count: 1...1
    ) { (line, session) throws(CommandFault) in
        try session.call { (runtime) throws(ContainerError) in try runtime.start(line.positionals[0]) }
        return 0
    }

    static let kill = Command(
        name: "kill", arguments: "ID [SIGNAL]", summary: "Send a signal, SIGTERM unless given, to a container",
        options: [
            Option("all", short: "a", "to all processes of the container"),
            Option("regex", short: "r", "not supported"),
        ], count: 1...2
    ) { (line, session) throws(CommandFault) in
        if line["regex"] != nil { throw .usage("--regex is not supported: name the containers") }
        let text = line.positionals.count > 1 ? line.positionals[1] : "SIGTERM"
        guard let signal = SignalNumber.parse(text) else { throw .usage("unknown signal \"\(text)\"") }
        let all = try line.isOn("all")
        try session.call { (runtime) throws(ContainerError) in try runtime.kill(line.positionals[0], signal, all: all) }
        return 0
    }

    static let delete = Command(
        name: "delete", arguments: "ID", summary: "Remove what is left of a container",
        options: [Option("force", short: "f", "kill it first; one that is not there is no error")], count: 1...1
    ) { (line, session) throws(CommandFault) in
        let force = try line.isOn("force")
        try session.call { (runtime) throws(ContainerError) in try runtime.delete(line.positionals[0], force: force) }
        return 0
    }

    static let pause = Command(
        name: "pause", arguments: "ID", summary: "Stop all processes of a container for a while", options: [],
        count: 1...1
    ) { (line, session) throws(CommandFault) in
        try session.call { (runtime) throws(ContainerError) in try runtime.pause(line.positionals[0]) }
        return 0
    }

    static let resume = Command(
        name: "resume", arguments: "ID", summary: "Let a paused container go on", options: [], count: 1...1
    ) { (line, session) throws(CommandFault) in
        try session.call { (runtime) throws(ContainerError) in try runtime.resume(line.positionals[0]) }
        return 0
    }
}
