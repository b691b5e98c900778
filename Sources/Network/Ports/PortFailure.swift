internal import Glibc
package import OCI
package import Sys

/// Why a port of the host can't be had; begins with docker's words.
package struct PortFailure: Error, Sendable {
    package let endpoint: String
    package let port: ContainerPort
    package let address: IPAddress
    /// 0: any.
    package let hostPort: UInt16
    package let errno: Errno
    /// Who has it, where that can be seen.
    package var owner: PortOwner?
    /// Of all these, none was free.
    package var exhausted: ClosedRange<UInt16>?
    private let target: IPAddress?

    init(_ endpoint: PortEndpoint, _ port: ContainerPort, _ address: IPAddress, _ hostPort: UInt16, _ errno: Errno) {
        self.endpoint = endpoint.name
        self.port = port
        self.address = address
        self.hostPort = hostPort
        self.errno = errno
        target = endpoint.addresses.first { $0.version == address.version } ?? endpoint.addresses.first
    }
}

extension PortFailure: CustomStringConvertible {
    package var description: String {
        "driver failed programming external connectivity on endpoint \(endpoint): \(cause)"
    }

    private var cause: String {
        let place = "\(address.text):\(hostPort)"
        if let exhausted {
            return
                "failed to bind host port for \(address.text):0: all ports are allocated, from \(exhausted.lowerBound) "
                + "to \(exhausted.upperBound)"
        }
        if errno.rawValue == EPROTONOSUPPORT, port.transport == .sctp {
            return
                "port \(port) can't be published here: SCTP is led to containers by the firewall only, which takes root "
                + "and publish-mode nft"
        }
        if case .container(let name) = owner {
            return "Bind for \(place) failed: port is already allocated (by container \(ForeignText(name)))"
        }
        let way = target.map { "\(place):\($0.text):\(port)" } ?? "\(place):\(port)"
        return "failed to bind host port for \(way): \(reason)"
    }

    private var reason: String {
        switch errno {
        case .addressInUse:
            if case .process(let name, let pid) = owner {
                return "address already in use (port \(hostPort) is taken by \(ForeignText(name)), process \(pid))"
            }
            return "address already in use"
        case .accessDenied:
            return "permission denied (ports below 1024 take root's rights: publish another, or sudo sysctl "
                + "net.ipv4.ip_unprivileged_port_start=\(hostPort))"
        case .addressNotAvailable:
            return "cannot assign requested address (no interface of this host has \(address))"
        default: return "\(errno)"
        }
    }
}
