internal import CLinux
internal import Glibc

/// An IP address written as a host, in any spelling that a resolver takes for one (`127.1`, `0x7f000001`,
/// `[::ffff:127.0.0.1]`).
package struct HostAddress: Hashable, Sendable {
    /// 4 or 16 bytes, network order. IPv4 inside IPv6 (mapped, NAT64) is IPv4 here.
    package let bytes: [UInt8]

    package init?(_ host: some StringProtocol) {
        var text = String(host)
        if text.hasPrefix("["), text.hasSuffix("]") { text = String(text.dropFirst().dropLast()) }
        var v4 = in_addr()
        var v6 = in6_addr()
        if inet_aton(text, &v4) == 1, !text.contains(where: \.isWhitespace) {
            bytes = withUnsafeBytes(of: &v4) { Array($0) }
        } else if inet_pton(AF_INET6, text, &v6) == 1 {
            bytes = HostAddress.unwrapped(withUnsafeBytes(of: &v6) { Array($0) })
        } else {
            return nil
        }
    }

    /// 4 or 16 bytes, network order.
    package init(bytes: [UInt8]) { self.bytes = bytes.count == 16 ? HostAddress.unwrapped(bytes) : bytes }

    private static func unwrapped(_ v6: [UInt8]) -> [UInt8] {
        let mapped: [UInt8] = [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff]
        let translated: [UInt8] = [0, 0x64, 0xff, 0x9b, 0, 0, 0, 0, 0, 0, 0, 0]
        let head = Array(v6.prefix(12))
        return head == mapped || head == translated ? Array(v6.suffix(4)) : v6
    }

    /// 127.0.0.0/8, ::1.
    package var isLoopback: Bool {
        bytes.count == 4 ? bytes[0] == 127 : bytes == [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1]
    }

    /// 0.0.0.0, ::, which connect to this machine.
    package var isUnspecified: Bool { bytes.allSatisfy { $0 == 0 } }

    /// 169.254.0.0/16, fe80::/10, and the metadata services that clouds keep elsewhere.
    package var isLinkLocal: Bool {
        let metadata: [[UInt8]] = [
            [100, 100, 100, 200], [0xfd, 0x00, 0x0e, 0xc2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x02, 0x54],
        ]
        if metadata.contains(bytes) { return true }
        return bytes.count == 4 ? bytes[0] == 169 && bytes[1] == 254 : bytes[0] == 0xfe && bytes[1] & 0xc0 == 0x80
    }

    /// Addresses that the public network does not route: RFC 1918, RFC 6598, unique local, unspecified, multicast,
    /// reserved.
    package var isPrivate: Bool {
        if bytes.count == 16 {
            return bytes[0] & 0xfe == 0xfc || bytes[0] == 0xff || bytes.allSatisfy { $0 == 0 }
        }
        switch (bytes[0], bytes[1]) {
        case (0, _), (10, _), (172, 16...31), (192, 168), (100, 64...127), (224..., _): return true
        default: return false
        }
    }

    /// `localhost`, or an address of the loopback interface.
    package static func isLoopback(host: String) -> Bool {
        host.lowercased() == "localhost" || HostAddress(host)?.isLoopback ?? false
    }
}

/// `10.0.0.0/8`, `fd00::/8`.
package struct AddressBlock: Hashable, Sendable {
    private let bytes: [UInt8]
    private let length: Int

    package init?(_ text: some StringProtocol) {
        let parts = text.split(separator: "/", omittingEmptySubsequences: false)
        guard parts.count == 2, let address = HostAddress(parts[0]), let length = Int(parts[1]),
            (0...address.bytes.count * 8).contains(length)
        else { return nil }
        self.bytes = address.bytes
        self.length = length
    }

    package func contains(_ address: HostAddress) -> Bool {
        guard address.bytes.count == bytes.count else { return false }
        for index in bytes.indices {
            let bits = min(8, max(0, length - index * 8))
            let mask = bits == 0 ? 0 : UInt8.max << UInt8(8 - bits)
            if bytes[index] & mask != address.bytes[index] & mask { return false }
        }
        return true
    }
}
