package import Sys

/// Why a container can't have the network that it was to have.
package enum NetworkError: Error {
    /// The program does not work here: what is missing, and what helps.
    case unusable(UserNetwork, String)
    /// It was started and gave up: its own words.
    case failed(UserNetwork, String)
    case system(SystemFailure)
}

extension NetworkError: CustomStringConvertible {
    package var description: String {
        switch self {
        case .unusable(let program, let why): "network \(program.rawValue) can't be had here: \(why)"
        case .failed(let program, let words):
            "\(program.rawValue) could not connect the container's network: "
                + (words.isEmpty ? "it ended without a word" : words)
        case .system(let failure): "\(failure)"
        }
    }
}
