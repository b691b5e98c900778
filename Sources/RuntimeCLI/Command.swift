internal import OCIRuntime

/// Why a command ends without having done what it is for.
enum CommandFault: Error {
    /// The line itself is wrong.
    case usage(String)
    case failed(String)
    case container(ContainerError)

    var message: String {
        switch self {
        case .usage(let text), .failed(let text): text
        case .container(let error): "\(error)"
        }
    }
}

/// A command as data, and what it does.
struct Command: Sendable {
    let name: String
    /// The arguments as help shows them.
    let arguments: String
    let summary: String
    let options: [Option]
    /// How many arguments it takes.
    let count: ClosedRange<Int>
    /// What follows its first argument is not ours to read.
    var stops = false
    /// Its exit code where it fails.
    var failureCode: Int32 = 1
    let run: @Sendable (ParsedLine, Session) throws(CommandFault) -> Int32

    static let all: [Command] = [
        .create, .delete, .events, .exec, .features, .kill, .list, .pause, .ps, .resume, .runAttached, .spec, .start,
        .state, .update,
    ]
}

/// What all commands are given.
struct Session: Sendable {
    let runtime: ContainerRuntime
    let output: @Sendable (String) -> Void

    /// Calls of the runtime's with their errors as ours.
    func call<T: ~Copyable>(_ body: (ContainerRuntime) throws(ContainerError) -> T) throws(CommandFault) -> T {
        do throws(ContainerError) { return try body(runtime) } catch { throw .container(error) }
    }
}
