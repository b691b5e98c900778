package import OCI
package import Sys

/// Why a container can't have the network that it was to have.
package enum NetworkError: Error {
    /// The program does not work here: what is missing, and what helps.
    case unusable(UserNetwork, String)
    /// It was started and gave up: its own words.
    case failed(UserNetwork, String)
    /// Nothing of this range is free.
    case noAddress(IPPrefix)
    case addressTaken(IPAddress, by: String?)
    case system(SystemFailure)
}

extension NetworkError: CustomStringConvertible {
    package var description: String {
        switch self {
        case .unusable(let program, let why): "network \(program.rawValue) can't be had here: \(why)"
        case .failed(let program, let words):
            "\(program.rawValue) could not connect the container's network: "
                + (words.isEmpty ? "it ended without a word" : words)
        case .noAddress(let range):
            "no available IPv\(range.isVersion6 ? 6 : 4) addresses on this network's address pools: all of \(range) are taken"
        case .addressTaken(let address, let holder):
            "Address already in use: \(address)"
                + (holder.map { " is container \($0.prefix(12))'s" } ?? " is the network's own")
        case .system(let failure): "\(failure)"
        }
    }
}
