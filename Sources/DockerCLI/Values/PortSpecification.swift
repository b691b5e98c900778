package import OCI

/// Ports on the command line, in docker's words where they are wrong.
package enum PortSpecification {
    /// One `-p [[ADDRESS:][HOST]:]CONTAINER[/PROTOCOL]` with its ranges taken apart, or its long form
    /// `published=8080,target=80`.
    package static func parse(_ text: String) throws(ValueError) -> [PortMapping] {
        let text = text.contains("=") ? try shortForm(text) : text
        let (ports, name) = text.cut("/")
        var parts = ports.pieces(":")
        let container = parts.removeLast()
        guard !container.isEmpty else { throw .plain("no port specified: \(Names.printable(text))<empty>") }
        let transport = try transport(name)
        guard let inside = range(container), inside.lowerBound > 0 else {
            throw .plain("invalid containerPort: \(Names.printable(container))")
        }
        let host = parts.popLast() ?? ""
        guard host.isEmpty || range(host) != nil else { throw .plain("invalid hostPort: \(Names.printable(host))") }
        let address = try address(parts.joined(separator: ":"))
        let outside = range(host).flatMap { $0 == 0...0 ? nil : $0 }
        guard let outside else {
            if !host.isEmpty, inside.count > 1 { throw mismatch(container, host) }
            return inside.map { PortMapping(ContainerPort($0, transport), address: address) }
        }
        // Several ports of the host may lead to one of the container, and otherwise there are as many of each.
        if inside.count == 1 {
            return [PortMapping(ContainerPort(inside.lowerBound, transport), address: address, hostPorts: outside)]
        }
        guard inside.count == outside.count else { throw mismatch(container, host) }
        return zip(inside, outside).map {
            PortMapping(ContainerPort($0, transport), address: address, hostPorts: $1...$1)
        }
    }

    /// One `--expose PORT[-PORT][/PROTOCOL]`.
    package static func parseExposed(_ text: String) throws(ValueError) -> [ContainerPort] {
        if text.contains(":") { throw .plain("invalid port format for --expose: \(Names.printable(text))") }
        let (ports, name) = text.cut("/")
        guard let range = range(ports), range.lowerBound > 0, let transport = try? transport(name) else {
            throw .plain("invalid range format for --expose: \(Names.printable(text))")
        }
        return range.map { ContainerPort($0, transport) }
    }

    private static func mismatch(_ container: String, _ host: String) -> ValueError {
        .plain("invalid ranges specified for container and host Ports: \(container) and \(host)")
    }

    /// docker leaves out what it does not know; an address left out would publish the port everywhere.
    private static func shortForm(_ text: String) throws(ValueError) -> String {
        var fields = ["protocol": "tcp"]
        for field in text.pieces(",") {
            let (key, value) = field.cut("=")
            guard let value, !key.isEmpty else {
                throw .plain(
                    "invalid publish opts format (should be name=value but got '\(Names.printable(field))')")
            }
            switch key {
            case "published", "target", "protocol": fields[key] = value
            case "mode" where ["host", "ingress", ""].contains(value): break
            default: throw .plain("invalid publish opts format (unknown option '\(Names.printable(field))')")
            }
        }
        return "\(fields["published"] ?? ""):\(fields["target"] ?? "")/\(fields["protocol"] ?? "")"
    }

    private static func transport(_ name: String?) throws(ValueError) -> PortProtocol {
        guard let name, !name.isEmpty else { return .tcp }
        guard let transport = PortProtocol(rawValue: name.lowercased()) else {
            throw .plain("invalid proto: \(Names.printable(name))")
        }
        return transport
    }

    private static func range(_ text: String) -> ClosedRange<UInt16>? {
        let (low, high) = text.cut("-")
        guard !text.utf8.contains(UInt8(ascii: "+")), let first = UInt16(low), let last = UInt16(high ?? low),
            first <= last
        else { return nil }
        return first...last
    }

    /// One of version 6 stands in brackets.
    private static func address(_ text: String) throws(ValueError) -> IPAddress? {
        if text.isEmpty { return nil }
        let isBracketed = text.hasPrefix("[") && text.hasSuffix("]")
        let bare = isBracketed ? String(text.dropFirst().dropLast()) : text
        guard let address = IPAddress(bare), isBracketed || !address.isVersion6 else {
            throw .plain("invalid IP address: \(Names.printable(text))")
        }
        return address
    }
}
