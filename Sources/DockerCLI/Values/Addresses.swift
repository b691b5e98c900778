package import Engine
package import OCI

/// Addresses, and names for them, in flags.
package enum Addresses {
    package static func version4(_ text: String) throws(ValueError) -> IPAddress {
        guard let address = IPAddress(text), !address.isVersion6, !address.isUnspecified else {
            throw .plain("invalid IPv4 address: \(Names.printable(text))")
        }
        return address
    }

    package static func version6(_ text: String) throws(ValueError) -> IPAddress {
        guard let address = IPAddress(text), address.isVersion6, !address.isUnspecified else {
            throw .plain("invalid IPv6 address: \(Names.printable(text))")
        }
        return address
    }

    /// Of an interface, and so of no group.
    package static func mac(_ text: String) throws(ValueError) -> MACAddress {
        guard let address = MACAddress(text), !address.isMulticast, address.bytes.contains(where: { $0 != 0 }) else {
            throw .plain("\(Names.printable(text)) is not a valid mac address")
        }
        return address
    }

    /// `--dns`.
    package static func server(_ text: String) throws(ValueError) -> IPAddress {
        guard let address = IPAddress(text) else {
            throw .invalid("IP address is not correctly formatted: \(Names.printable(text))")
        }
        return address
    }

    /// `--dns-search`: a domain, or `.` for none.
    package static func searchDomain(_ text: String) throws(ValueError) -> String {
        if text == "." { return text }
        let bare = text.hasSuffix(".") ? String(text.dropLast()) : text
        let labels = bare.pieces(".")
        let isDomain =
            bare.utf8.count < 255
            && bare.utf8.contains { $0 | 0x20 >= UInt8(ascii: "a") && $0 | 0x20 <= UInt8(ascii: "z") }
            && labels.allSatisfy { label in
                guard let first = label.utf8.first, let last = label.utf8.last else { return false }
                return ResourceName.isAlphanumeric(first) && ResourceName.isAlphanumeric(last)
                    && label.utf8.allSatisfy { ResourceName.isAlphanumeric($0) || $0 == UInt8(ascii: "-") }
            }
        guard isDomain else { throw .invalid("\(Names.printable(text)) is not a valid domain") }
        return bare
    }

    private static let hostGateway = "host-gateway"

    /// `--add-host`: NAME:ADDRESS or NAME=ADDRESS, the address of version 6 also in brackets.
    package static func extraHost(_ text: String) throws(ValueError) -> ExtraHost {
        var (name, value) = text.cut("=")
        if value == nil { (name, value) = text.cut(":") }
        guard var value, !name.isEmpty, !name.contains(":"), (try? Names.hostWord(name, flag: "")) != nil else {
            throw .invalid("bad format for add-host: \(GoValue.quoted(text))")
        }
        if value == hostGateway { return ExtraHost(name: name, address: nil) }
        if value.utf8.count > 2, value.hasPrefix("["), value.hasSuffix("]") {
            value = String(value.dropFirst().dropLast())
        }
        guard let address = IPAddress(value) else {
            throw .invalid("invalid IP address in add-host: \(GoValue.quoted(value))")
        }
        return ExtraHost(name: name, address: address)
    }
}

extension ExtraHost {
    /// As docker's inspect shows it.
    var text: String { "\(name):\(address.map { "\($0)" } ?? "host-gateway")" }
}
