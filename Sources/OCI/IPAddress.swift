internal import Glibc

/// What is kept as its description, and read from that.
package protocol KeptAsText: FieldValue, CustomStringConvertible {
    /// nil for what no value's description reads like.
    init?(_ text: String)
}

/// An address of IP version 4 or 6, a value that is ordered and counted with; as text what inet_ntop(3) writes.
package struct IPAddress: Hashable, Sendable, Comparable {
    package enum Version: Sendable, Hashable { case four, six }

    package let version: Version
    /// The upper half of version 6; 0 in version 4.
    let high: UInt64
    let low: UInt64

    init(_ version: Version, high: UInt64 = 0, low: UInt64) {
        self.version = version
        self.high = high
        self.low = low
    }

    /// Of version 4.
    package init(_ bits: UInt32) { self.init(.four, low: UInt64(bits)) }

    /// 4 or 16 bytes in network order; nil for another count.
    package init?(bytes: some Collection<UInt8>) {
        func number(_ part: some Collection<UInt8>) -> UInt64 { part.reduce(0) { $0 << 8 | UInt64($1) } }
        switch bytes.count {
        case 4: self.init(.four, low: number(bytes))
        case 16: self.init(.six, high: number(bytes.prefix(8)), low: number(bytes.dropFirst(8)))
        default: return nil
        }
    }

    /// Dotted with four plain decimal numbers, or version 6 as of inet_pton(3), without brackets or scope.
    package init?(_ text: some StringProtocol) {
        let text = String(text)
        var four = in_addr()
        var six = in6_addr()
        // C would stop at a NUL.
        if text.utf8.contains(0) { return nil }
        if inet_pton(AF_INET, text, &four) == 1 {
            self.init(UInt32(bigEndian: four.s_addr))
        } else if inet_pton(AF_INET6, text, &six) == 1 {
            self.init(bytes: withUnsafeBytes(of: &six) { Array($0) })
        } else {
            return nil
        }
    }

    package var isVersion6: Bool { version == .six }
    /// Of the version: 32 or 128.
    package var bitCount: Int { isVersion6 ? 128 : 32 }

    /// Network order.
    package var bytes: [UInt8] {
        func bytes(_ number: UInt64) -> [UInt8] { (0..<8).map { UInt8(truncatingIfNeeded: number >> (56 - 8 * $0)) } }
        return isVersion6 ? bytes(high) + bytes(low) : Array(bytes(low).suffix(4))
    }

    package var isLoopback: Bool { isVersion6 ? high == 0 && low == 1 : low >> 24 == 127 }
    package var isUnspecified: Bool { high == 0 && low == 0 }
    package var isMulticast: Bool { isVersion6 ? high >> 56 == 0xff : low >> 28 == 0xe }
    package var isLinkLocal: Bool { isVersion6 ? high >> 54 == 0x3fa : low >> 16 == 0xa9fe }

    package static let any4 = IPAddress(0)
    package static let any6 = IPAddress(.six, low: 0)

    package static func < (one: IPAddress, other: IPAddress) -> Bool {
        if one.version != other.version { return other.isVersion6 }
        return (one.high, one.low) < (other.high, other.low)
    }

    /// The address `count` further on, around the version's end.
    package func advanced(by count: UInt64) -> IPAddress {
        if !isVersion6 { return IPAddress(UInt32(truncatingIfNeeded: low &+ count)) }
        let (sum, overflow) = low.addingReportingOverflow(count)
        return IPAddress(.six, high: overflow ? high &+ 1 : high, low: sum)
    }

    /// How many addresses lie between an earlier one of the version and this one; at most UInt64.max.
    package func distance(from other: IPAddress) -> UInt64 {
        let (difference, borrows) = low.subtractingReportingOverflow(other.low)
        return high &- other.high &- (borrows ? 1 : 0) == 0 ? difference : .max
    }
}

extension IPAddress: KeptAsText {
    package var description: String {
        var text = [CChar](repeating: 0, count: Int(INET6_ADDRSTRLEN))
        let family = isVersion6 ? AF_INET6 : AF_INET
        bytes.withUnsafeBytes { _ = inet_ntop(family, $0.baseAddress, &text, socklen_t(text.count)) }
        return String(decoding: text.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }
}

/// `172.17.0.0/16`: an address with the length of its network's prefix. It may be a host's (`172.17.0.1/16`).
package struct IPPrefix: Hashable, Sendable {
    package let address: IPAddress
    package let length: Int

    /// nil for a length that the version does not have.
    package init?(_ address: IPAddress, length: Int) {
        guard (0...address.bitCount).contains(length) else { return nil }
        self.address = address
        self.length = length
    }

    /// All addresses of version 4.
    package static let all4 = IPPrefix(all: .any4)

    private init(all address: IPAddress) { (self.address, length) = (address, 0) }

    package init?(_ text: some StringProtocol) {
        let parts = text.split(separator: "/", omittingEmptySubsequences: false)
        guard parts.count == 2, let address = IPAddress(parts[0]), parts[1].utf8.count <= 3,
            parts[1].utf8.allSatisfy({ (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }),
            let length = Int(parts[1])
        else { return nil }
        self.init(address, length: length)
    }

    package var isVersion6: Bool { address.isVersion6 }

    private var masks: (high: UInt64, low: UInt64) {
        func mask(_ bits: Int, of width: Int) -> UInt64 {
            let all = width == 64 ? UInt64.max : (1 << UInt64(width)) - 1
            return bits <= 0 ? 0 : bits >= width ? all : all & ~(all >> UInt64(bits))
        }
        return isVersion6 ? (mask(length, of: 64), mask(length - 64, of: 64)) : (0, mask(length, of: 32))
    }

    /// With no bit behind the prefix.
    package var network: IPPrefix {
        let masks = masks
        let first = IPAddress(address.version, high: address.high & masks.high, low: address.low & masks.low)
        return IPPrefix(first, length: length) ?? self
    }

    /// The last address: in version 4 that of broadcasts.
    package var last: IPAddress {
        let masks = masks
        let width: UInt64 = isVersion6 ? .max : UInt64(UInt32.max)
        return IPAddress(
            address.version, high: isVersion6 ? address.high | ~masks.high : 0, low: (address.low | ~masks.low) & width)
    }

    package func contains(_ other: IPAddress) -> Bool {
        other.version == address.version && network.address <= other && other <= last
    }

    package func overlaps(_ other: IPPrefix) -> Bool {
        contains(other.network.address) || other.contains(network.address)
    }
}

extension IPPrefix: KeptAsText {
    package var description: String { "\(address)/\(length)" }
}

/// The hardware address of an Ethernet interface.
package struct MACAddress: Hashable, Sendable {
    /// Six.
    package let bytes: [UInt8]

    package init?(bytes: [UInt8]) {
        guard bytes.count == 6 else { return nil }
        self.bytes = bytes
    }

    /// docker's usual one for a container with this address: 02:42 and the address, so that it is the same each time; for
    /// version 6 its last four bytes.
    package init(of address: IPAddress) { bytes = [0x02, 0x42] + address.bytes.suffix(4) }

    /// `02:42:ac:11:00:02`, also with `-` between.
    package init?(_ text: some StringProtocol) {
        let parts = text.split(omittingEmptySubsequences: false) { $0 == ":" || $0 == "-" }
        let numbers = parts.compactMap { part in
            part.utf8.count == 2 && !part.hasPrefix("+") && !part.hasPrefix("-") ? UInt8(part, radix: 16) : nil
        }
        guard parts.count == 6, numbers.count == 6 else { return nil }
        bytes = numbers
    }

    /// Whether it is a group's and no interface's.
    package var isMulticast: Bool { bytes[0] & 1 == 1 }
}

extension MACAddress: KeptAsText {
    package var description: String {
        bytes.map { $0 < 16 ? "0" + String($0, radix: 16) : String($0, radix: 16) }.joined(separator: ":")
    }
}
