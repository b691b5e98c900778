internal import CLinux
internal import Glibc

/// Messages of netlink(7) as they are sent: one behind the other, by one system call.
struct NetlinkRequest {
    private(set) var bytes: [UInt8] = []
    /// Where each message begins.
    private(set) var starts: [Int] = []

    /// One message: its fixed header and its attributes are what `body` appends.
    mutating func message(
        _ type: some BinaryInteger, _ flags: Int32 = 0, _ body: (inout NetlinkRequest) -> Void
    ) {
        let start = bytes.count
        starts.append(start)
        bytes.append(contentsOf: repeatElement(0, count: NetlinkRequest.headerSize))
        set(UInt16(type), at: start + 4)
        set(UInt16(flags | NLM_F_REQUEST), at: start + 6)
        body(&self)
        set(UInt32(bytes.count - start), at: start)
        pad()
    }

    /// struct nlmsghdr.
    static let headerSize = 16

    /// A number of the fixed header, in the machine's byte order.
    mutating func number<T: FixedWidthInteger>(_ value: T) {
        withUnsafeBytes(of: value) { bytes.append(contentsOf: $0) }
    }

    mutating func attribute(_ type: some BinaryInteger, _ value: some Collection<UInt8>) {
        number(UInt16(value.count + 4))
        number(UInt16(type))
        bytes.append(contentsOf: value)
        pad()
    }

    /// A number in the machine's byte order, as rtnetlink(7) has them.
    mutating func attribute<T: FixedWidthInteger>(_ type: some BinaryInteger, number value: T) {
        number(UInt16(MemoryLayout<T>.size + 4))
        number(UInt16(type))
        number(value)
        pad()
    }

    /// A number in network byte order, as nf_tables has them.
    mutating func attribute<T: FixedWidthInteger>(_ type: some BinaryInteger, big value: T) {
        attribute(type, number: value.bigEndian)
    }

    /// With its NUL.
    mutating func attribute(_ type: some BinaryInteger, text: String) {
        attribute(type, Array(text.utf8) + [0])
    }

    /// Attributes in an attribute.
    mutating func nested(_ type: some BinaryInteger, _ body: (inout NetlinkRequest) -> Void) {
        let start = bytes.count
        number(UInt16(0))
        number(UInt16(type) | UInt16(NLA_F_NESTED))
        body(&self)
        set(UInt16(bytes.count - start), at: start)
    }

    /// More flags for one message.
    mutating func flag(_ index: Int, _ flags: Int32) {
        let start = starts[index]
        let old = UInt16(bytes[start + 6]) | UInt16(bytes[start + 7]) << 8
        set(old | UInt16(flags), at: start + 6)
    }

    /// Numbers the messages, from `first` on, so that replies can be told apart.
    mutating func stamp(from first: UInt32) {
        for (index, start) in starts.enumerated() { set(first &+ UInt32(index), at: start + 8) }
    }

    private mutating func pad() {
        while bytes.count % 4 != 0 { bytes.append(0) }
    }

    private mutating func set<T: FixedWidthInteger>(_ value: T, at offset: Int) {
        withUnsafeBytes(of: value) { field in
            for (index, byte) in field.enumerated() { bytes[offset + index] = byte }
        }
    }
}
