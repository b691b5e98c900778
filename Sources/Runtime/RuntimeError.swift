package import Sys

/// Why a container was not launched, with what it means for the command's exit code.
package enum RuntimeError: Error, Equatable, Sendable, CustomStringConvertible {
    /// The spec asks for something that can't be or may not be done; says what and why.
    case invalid(String)
    /// A call of ours, on the host's side.
    case system(operation: String, subject: String, Errno)
    /// A step of the child.
    case setup(step: String, detail: String, remedy: String?)
    /// The mount of the root file system itself.
    case rootMount(step: String, detail: String, remedy: String?)
    /// The command is not there (exit code 127).
    case commandNotFound(String)
    /// The command is there and can't be executed (exit code 126).
    case commandNotExecutable(String)
    /// The child ended without a word, or said something we do not understand.
    case lostChild(String)

    /// As docker's: 125 for the engine's own failures.
    package var exitCode: Int32 {
        switch self {
        case .commandNotFound: 127
        case .commandNotExecutable: 126
        default: 125
        }
    }

    package var description: String {
        switch self {
        case .invalid(let text): text
        case .system(let operation, let subject, let errno): "\(operation) \(subject): \(errno)"
        case .setup(let step, let detail, let remedy), .rootMount(let step, let detail, let remedy):
            "\(step): \(detail)\(remedy.map { "; \($0)" } ?? "")"
        case .commandNotFound(let text), .commandNotExecutable(let text): text
        case .lostChild(let text): "start the container's process: \(text)"
        }
    }
}
