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
    /// A port of the host can't be had.
    case port(PortFailure)
    /// More sockets than one container's ports may have.
    case tooManyPorts(Int)
    /// What the process that was to hold the ports could not do.
    case holder(String)
    case system(SystemFailure)
    case kernel(KernelRefusal)
    /// There is a link of the name of a bridge, and it is something else.
    case notABridge(String, kind: String)
    /// The kernel lets a bridge have 1,023 ports.
    case bridgeFull(String)
    /// The link of the host that a macvlan is to be on is not there.
    case noParent(String)
    /// What is at a path that was to be a network namespace.
    case noNamespace(String, why: String)
    /// There is no such network of CNI's; what is wrong with files that may be about it.
    case noCNINetwork(String, directory: String, [String])
    /// A network of CNI's is not to be had, or not as asked.
    case cni(String)
    /// What lacks for a firewall, and what helps.
    case noFirewall(String)
    /// Our tables are not there, or not whole.
    case firewallMissing
    /// Somebody changed the firewall since the generation that was expected.
    case firewallChanged
}

/// What the kernel was asked for by netlink(7) and did not do.
package struct KernelRefusal: Error, Sendable {
    package let operation: String
    package let subject: String
    package let errno: Errno
    /// The kernel's own; often empty.
    package let words: String

    init(_ operation: String, _ subject: String, _ refusal: NetlinkRefusal) {
        self.operation = operation
        self.subject = subject
        errno = refusal.errno
        words = refusal.words
    }
}

extension KernelRefusal: CustomStringConvertible {
    package var description: String {
        let remedy = errno == .notPermitted ? "; only root, with CAP_NET_ADMIN, may change networks" : ""
        return "\(operation) \(subject): \(errno)" + (words.isEmpty ? "" : ": \(words)") + remedy
    }
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
        case .port(let failure): "\(failure)"
        case .tooManyPorts(let most):
            "too many published ports: each takes a socket for each address it is published at, and \(most) is the most"
        case .holder(let words): "the process that holds the published ports could not start: \(words)"
        case .system(let failure): "\(failure)"
        case .kernel(let refusal): "\(refusal)"
        case .notABridge(let name, let kind):
            "\(name) is to be a bridge, and the host has a link of that name which is "
                + (kind.isEmpty ? "a device" : "of kind \(kind)") + " (sudo ip link delete \(name))"
        case .bridgeFull(let name):
            "the bridge \(name) is full: the kernel lets one have 1,023 ports, one for each running container "
                + "(runimg network create makes another network; run --network NAME uses it)"
        case .noParent(let name): "there is no network interface \(name) on this host (ip link)"
        case .noNamespace(let path, let why): "the network namespace \(path) can't be joined: \(why)"
        case .noCNINetwork(let name, let directory, let problems):
            "network \(name) not found in \(directory)" + problems.map { "; \($0)" }.joined()
        case .cni(let words): words
        case .noFirewall(let why): "the firewall can't be set: \(why)"
        case .firewallMissing: "the tables of runimg are missing in the kernel's firewall"
        case .firewallChanged: "the kernel's firewall was changed by somebody else meanwhile"
        }
    }
}
