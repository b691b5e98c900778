internal import CLinux
internal import Glibc

/// Where an Internet socket is, or goes (ip(7), ipv6(7)).
package struct InternetName: Hashable, Sendable, CustomStringConvertible {
    /// 4 or 16 bytes in network order.
    package let address: [UInt8]
    package let port: UInt16

    /// From the bytes of a `struct sockaddr`; nil where it is of another family.
    package init?(_ name: [UInt8]) {
        var bytes = [UInt8](repeating: 0, count: 16)
        var port: UInt16 = 0
        let count = name.withUnsafeBytes { clinux_address($0.baseAddress, $0.count, &bytes, &port) }
        guard count > 0 else { return nil }
        address = Array(bytes.prefix(Int(count)))
        self.port = port
    }

    /// `192.0.2.1:443`, `[2001:db8:0:0:0:0:0:1]:443`.
    package var description: String {
        if address.count == 4 { return address.map { "\($0)" }.joined(separator: ".") + ":\(port)" }
        let groups = stride(from: 0, to: address.count, by: 2).map { index in
            String(Int(address[index]) << 8 | Int(address[index + 1]), radix: 16)
        }
        return "[\(groups.joined(separator: ":"))]:\(port)"
    }
}
