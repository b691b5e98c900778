/// One message (D-Bus specification, "Message Format"), in the byte order of our machines.
package struct DBusMessage: Sendable, Hashable {
    package enum Kind: UInt8, Sendable { case call = 1, reply, error, signal }

    package var kind: Kind
    package var serial: UInt32 = 0
    package var replySerial: UInt32?
    package var destination: String?
    package var path: String?
    package var interface: String?
    package var member: String?
    /// Of an error.
    package var errorName: String?
    package var body: [DBusValue] = []

    /// No message of systemd's that we ask for is longer; the specification allows 128 MiB.
    package static let maximumSize = 4 << 20
    static let fixedSize = 16

    package init(_ kind: Kind) { self.kind = kind }

    /// nil where a text in it can't be sent, or all of it is too long.
    package var bytes: [UInt8]? {
        let signature = body.map(\.signature).joined()
        guard signature.utf8.count <= DBusSignature.maximumBytes, body.allSatisfy(\.isSendable) else { return nil }
        var content = DBusEncoder()
        for value in body { content.add(value) }
        var fields: [DBusValue] = []
        func add(_ code: UInt8, _ value: DBusValue?) {
            if let value { fields.append(.structure([.byte(code), .variant(value)])) }
        }
        add(1, path.map { .objectPath($0) })
        add(2, interface.map { .string($0) })
        add(3, member.map { .string($0) })
        add(4, errorName.map { .string($0) })
        add(5, replySerial.map { .uint32($0) })
        add(6, destination.map { .string($0) })
        if !body.isEmpty { add(8, .signature(signature)) }
        var whole = DBusEncoder()
        for byte in [UInt8(ascii: "l"), kind.rawValue, 0, 1] { whole.add(.byte(byte)) }
        whole.add(.uint32(UInt32(clamping: content.bytes.count)))
        whole.add(.uint32(serial))
        whole.add(.array(of: "(yv)", fields))
        whole.align(8)
        whole.append(content.bytes)
        return whole.bytes.count <= DBusMessage.maximumSize ? whole.bytes : nil
    }

    /// How many bytes the message has that begins with `start`, of which there are at least `fixedSize`.
    static func size(_ start: some Sequence<UInt8>) throws(DBusFault) -> Int {
        var decoder = DBusDecoder(Array(start.prefix(fixedSize)))
        let head = try decoder.values("yyyyuuu")
        if head[0] != .byte(UInt8(ascii: "l")) {
            throw DBusFault("it is not of the byte order of this machine")
        }
        guard head[3] == .byte(1), let body = head[4].unsigned, let fields = head[6].unsigned else {
            throw DBusFault("it is of an unknown version of the protocol")
        }
        // No trap: both have 32 bits.
        let size = UInt64(fixedSize) + (fields + 7) / 8 * 8 + body
        guard size <= UInt64(maximumSize) else { throw DBusFault("it has \(size) bytes") }
        return Int(size)
    }

    /// - Parameter bytes: as many as `size` says.
    package init(reading bytes: [UInt8]) throws(DBusFault) {
        guard try DBusMessage.size(bytes) == bytes.count else { throw DBusFault("its size is wrong") }
        var decoder = DBusDecoder(bytes)
        let head = try decoder.values("yyyyuua(yv)")
        guard case .byte(let code) = head[1], let kind = Kind(rawValue: code), case .uint32(let serial) = head[5],
            serial != 0, case .array(_, let fields) = head[6]
        else { throw DBusFault("it is of an unknown kind") }
        self.kind = kind
        self.serial = serial
        var signature = ""
        for field in fields {
            guard case .structure(let pair) = field, pair.count == 2, case .byte(let code) = pair[0],
                case .variant(let value) = pair[1]
            else { continue }
            switch (code, value) {
            case (1, .objectPath(let text)): path = text
            case (2, .string(let text)): interface = text
            case (3, .string(let text)): member = text
            case (4, .string(let text)): errorName = text
            case (5, .uint32(let number)): replySerial = number
            case (6, .string(let text)): destination = text
            case (8, .signature(let text)): signature = text
            default: continue
            }
        }
        try decoder.align(8)
        body = try decoder.values(signature)
        if decoder.place != bytes.count { throw DBusFault("there is more in it than it says") }
    }
}

/// Why what a peer sent is no message.
package struct DBusFault: Error, Sendable, Hashable, CustomStringConvertible {
    package let description: String
    init(_ reason: String) { description = "a message that is none: \(reason)" }
}
