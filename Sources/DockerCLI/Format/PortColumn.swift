package import OCI

/// Ports as docker's table shows them.
package enum PortColumn {
    private struct Line {
        var port: ContainerPort
        /// nil: only exposed.
        var place: (address: String, hostPort: UInt16)?

        var order: (UInt16, String, UInt16, String) {
            (port.number, place?.address ?? "", place?.hostPort ?? 0, port.transport.rawValue)
        }
    }

    /// What shares its ports with others: these are shown as ranges.
    private struct Group: Hashable {
        var address: String?
        var transport: PortProtocol

        func text(_ ports: ClosedRange<UInt16>) -> String {
            let range = ports.count == 1 ? "\(ports.lowerBound)" : "\(ports.lowerBound)-\(ports.upperBound)"
            return (address.map { "\($0):\(range)->" } ?? "") + "\(range)/\(transport.rawValue)"
        }
    }

    /// `0.0.0.0:8080->80/tcp, [::]:8080->80/tcp, 443/tcp`: those with the same number inside and outside, and those that are
    /// only exposed, as ranges, what a later one has interrupted first; then the others.
    package static func text(_ exposed: [ContainerPort], _ published: [PublishedPort]) -> String {
        let taken = Set(published.map(\.port))
        let lines =
            exposed.filter { !taken.contains($0) }.map { Line(port: $0, place: nil) }
            + published.map { Line(port: $0.port, place: ($0.address.text, $0.hostPort)) }
        var open: [(group: Group, ports: ClosedRange<UInt16>)] = []
        var closed: [String] = []
        var mapped: [String] = []
        for line in lines.sorted(by: { $0.order < $1.order }) {
            let number = line.port.number
            if let place = line.place, place.hostPort != number {
                mapped.append("\(place.address):\(place.hostPort)->\(line.port)")
                continue
            }
            let group = Group(address: line.place?.address, transport: line.port.transport)
            guard let index = open.firstIndex(where: { $0.group == group }) else {
                open.append((group, number...number))
                continue
            }
            let ports = open[index].ports
            if number == ports.upperBound + 1 {
                open[index].ports = ports.lowerBound...number
            } else {
                closed.append(group.text(ports))
                open[index].ports = number...number
            }
        }
        return (closed + open.map { $0.group.text($0.ports) } + mapped).joined(separator: ", ")
    }
}
