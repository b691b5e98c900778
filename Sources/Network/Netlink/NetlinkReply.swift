internal import CLinux
internal import Glibc

/// A message from the kernel.
struct NetlinkReply {
    let type: UInt16
    let flags: UInt16
    let sequence: UInt32
    /// Behind the header.
    let payload: ArraySlice<UInt8>

    /// The messages of one datagram; what does not fit is left out.
    static func all(_ bytes: [UInt8]) -> [NetlinkReply] {
        var result: [NetlinkReply] = []
        var rest = bytes[...]
        while let length: UInt32 = rest.number(at: 0), length >= UInt32(NetlinkRequest.headerSize),
            length <= UInt32(rest.count), let type: UInt16 = rest.number(at: 4),
            let flags: UInt16 = rest.number(at: 6), let sequence: UInt32 = rest.number(at: 8)
        {
            let payload = rest.prefix(Int(length)).dropFirst(NetlinkRequest.headerSize)
            result.append(NetlinkReply(type: type, flags: flags, sequence: sequence, payload: payload))
            rest = rest.dropFirst((Int(length) + 3) & ~3)
        }
        return result
    }

    /// The attributes behind a fixed header of `size` bytes.
    func attributes(after size: Int) -> NetlinkAttributes { NetlinkAttributes(payload.dropFirst((size + 3) & ~3)) }

    /// The error in an NLMSG_ERROR, 0 in an acknowledgement; nil for other messages. NLMSG_DONE ends a dump and has one,
    /// too.
    var status: Int32? {
        guard type == UInt16(NLMSG_ERROR) || type == UInt16(NLMSG_DONE) else { return nil }
        let value: Int32? = payload.number(at: 0)
        return -(value ?? 0)
    }

    /// The kernel's own words for an error (NETLINK_EXT_ACK); empty without any.
    var words: String {
        guard flags & UInt16(NLM_F_ACK_TLVS) != 0 else { return "" }
        // NETLINK_CAP_ACK is on: of the request only its header comes back.
        let header = type == UInt16(NLMSG_ERROR) ? 4 + NetlinkRequest.headerSize : 4
        return attributes(after: header).text(NLMSGERR_ATTR_MSG.rawValue) ?? ""
    }
}

/// The attributes of a message, or of an attribute.
struct NetlinkAttributes: Sequence, IteratorProtocol {
    private var rest: ArraySlice<UInt8>

    init(_ bytes: ArraySlice<UInt8>) { rest = bytes }

    /// The next one, without the flags of its type.
    mutating func next() -> (type: UInt16, value: ArraySlice<UInt8>)? {
        guard let length: UInt16 = rest.number(at: 0), length >= 4, Int(length) <= rest.count,
            let type: UInt16 = rest.number(at: 2)
        else { return nil }
        let value = rest.prefix(Int(length)).dropFirst(4)
        rest = rest.dropFirst((Int(length) + 3) & ~3)
        return (type & 0x3fff, value)
    }

    /// The first of this type.
    subscript(_ type: some BinaryInteger) -> ArraySlice<UInt8>? { first { $0.type == UInt16(type) }?.value }

    func nested(_ type: some BinaryInteger) -> NetlinkAttributes { NetlinkAttributes(self[type] ?? []) }

    /// Without its NUL.
    func text(_ type: some BinaryInteger) -> String? {
        self[type].map { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) }
    }

    func number<T: FixedWidthInteger>(_ type: some BinaryInteger) -> T? { self[type]?.number(at: 0) }

    /// A number in network byte order.
    func big<T: FixedWidthInteger>(_ type: some BinaryInteger) -> T? {
        let value: T? = self[type]?.number(at: 0)
        return value.map { T(bigEndian: $0) }
    }
}

extension ArraySlice<UInt8> {
    /// The number at an offset, in the machine's byte order; nil where the bytes end before.
    func number<T: FixedWidthInteger>(at offset: Int) -> T? {
        guard offset >= 0, count - offset >= MemoryLayout<T>.size else { return nil }
        var result: T = 0
        Swift.withUnsafeMutableBytes(of: &result) { field in
            field.copyBytes(from: self.dropFirst(offset).prefix(MemoryLayout<T>.size))
        }
        return result
    }
}
