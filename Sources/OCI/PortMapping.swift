/// What a port belongs to.
package enum PortProtocol: String, Sendable, Hashable, CaseIterable, Comparable {
    case tcp, udp, sctp

    package static func < (one: PortProtocol, other: PortProtocol) -> Bool { one.rawValue < other.rawValue }
}

/// A port of a container, as the image or `--expose` names it: `80/tcp`.
package struct ContainerPort: Sendable, Hashable, Comparable, CustomStringConvertible {
    package var number: UInt16
    package var transport: PortProtocol

    package init(_ number: UInt16, _ transport: PortProtocol = .tcp) {
        self.number = number
        self.transport = transport
    }

    package var description: String { "\(number)/\(transport.rawValue)" }

    package static func < (one: ContainerPort, other: ContainerPort) -> Bool {
        (one.number, one.transport) < (other.number, other.transport)
    }
}

/// One published port as it was asked for, with ranges taken apart: a port of the host that leads to one of the container.
package struct PortMapping: Sendable, Hashable {
    package var port: ContainerPort
    /// nil: all addresses of the host.
    package var address: IPAddress?
    /// From which a free one is taken; one port: that. nil: any free one.
    package var hostPorts: ClosedRange<UInt16>?

    package init(_ port: ContainerPort, address: IPAddress? = nil, hostPorts: ClosedRange<UInt16>? = nil) {
        self.port = port
        self.address = address
        self.hostPorts = hostPorts
    }
}

/// A published port of a container that runs: what of the host leads where.
package struct PublishedPort: Sendable, Hashable {
    package var port: ContainerPort
    /// 0.0.0.0 and :: are all of their version.
    package var address: IPAddress
    package var hostPort: UInt16

    package init(_ port: ContainerPort, address: IPAddress, hostPort: UInt16) {
        self.port = port
        self.address = address
        self.hostPort = hostPort
    }
}

extension IPAddress {
    /// As it stands before a port: version 6 in brackets.
    package var text: String { isVersion6 ? "[\(self)]" : "\(self)" }
}
