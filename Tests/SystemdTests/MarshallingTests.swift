import OCI
import Testing

@testable import Systemd

/// D-Bus specification, "Type System" and "Message Protocol".
@Suite struct MarshallingTests {
    private func encoded(_ values: DBusValue...) -> [UInt8] {
        var encoder = DBusEncoder()
        for value in values { encoder.add(value) }
        return encoder.bytes
    }

    static let values: [DBusValue] = [
        .byte(7), .boolean(true), .boolean(false), .int16(-2), .uint16(65535), .int32(-70_000), .uint32(4_000_000_000),
        .int64(.min), .uint64(.max), .double(-1.5), .string(""), .string("größer"), .objectPath("/a/b"),
        .signature("a(sv)"), .strings([]), .strings(["a", "bc"]), .bytes([1, 2, 3]), .array(of: "t", []),
        .array(of: "t", [.uint64(1), .uint64(2)]), .structure([.byte(1), .uint64(2), .string("x")]),
        .array(of: "(sv)", [.structure([.string("a"), .variant(.uint64(3))])]), .array(of: "(sa(sv))", []),
        .array(of: "{sv}", [.entry(key: .string("k"), value: .variant(.strings(["v"])))]),
        .variant(.variant(.structure([.byte(1), .array(of: "ay", [.bytes([9])])]))),
    ]

    @Test(arguments: values, [0, 1, 3, 4, 7]) func comesBackFromAnyPlace(_ value: DBusValue, _ padding: Int) throws {
        let before = Array(repeating: DBusValue.byte(0), count: padding)
        var encoder = DBusEncoder()
        for each in before + [value, .byte(0x55)] { encoder.add(each) }
        var decoder = DBusDecoder(encoder.bytes, from: padding)
        #expect(try decoder.values(value.signature + "y") == [value, .byte(0x55)])
        #expect(decoder.place == encoder.bytes.count)
    }

    @Test func hasTheBytesOfTheSpecification() {
        // "Valid Signatures" and "Marshaling": a string with its length and NUL, an array of 64 bits with its padding.
        #expect(encoded(.string("foo"), .string("+")) == [3, 0, 0, 0, 0x66, 0x6f, 0x6f, 0, 1, 0, 0, 0, 0x2b, 0])
        #expect(encoded(.array(of: "x", [.int64(5)])) == [8, 0, 0, 0, 0, 0, 0, 0, 5, 0, 0, 0, 0, 0, 0, 0])
        #expect(encoded(.array(of: "x", [])) == [0, 0, 0, 0, 0, 0, 0, 0])
        #expect(encoded(.byte(1), .boolean(true)) == [1, 0, 0, 0, 1, 0, 0, 0])
        #expect(encoded(.variant(.uint16(2))) == [1, 0x71, 0, 0, 2, 0])
    }

    @Test(arguments: [
        ("", []), ("s", ["s"]), ("a{sv}s", ["a{sv}", "s"]), ("(ii)aas", ["(ii)", "aas"]), ("a(s(ux))", ["a(s(ux))"]),
    ])
    func signaturesAreTakenApart(_ text: String, _ types: [String]) {
        #expect(DBusSignature.types(text) == types)
    }

    @Test(arguments: [
        "a", "(", ")", "()", "(s", "{sv}", "a{vs}", "a{s}", "a{sss}", "z", "a{s", "s)", "h", "ä",
        String(repeating: "a", count: 40) + "s", String(repeating: "s", count: 256),
        String(repeating: "(", count: 40) + "s" + String(repeating: ")", count: 40),
    ])
    func whatIsNoSignatureIsRefused(_ text: String) { #expect(DBusSignature.types(text) == nil) }

    private static var call: DBusMessage {
        var message = DBusMessage(.call)
        (message.serial, message.destination, message.path) = (7, "org.freedesktop.systemd1", "/org/x")
        (message.interface, message.member) = ("org.x.Manager", "Start")
        message.body = [.string("a.scope"), .array(of: "(sv)", [.structure([.string("P"), .variant(.uint64(1))])])]
        return message
    }

    @Test func aMessageComesBack() throws {
        let bytes = try #require(Self.call.bytes)
        #expect(try DBusMessage.size(bytes) == bytes.count)
        #expect(try DBusMessage(reading: bytes) == Self.call)
        var error = DBusMessage(.error)
        (error.serial, error.replySerial, error.errorName) = (1, 7, "org.x.Error")
        #expect(try DBusMessage(reading: try #require(error.bytes)) == error)
    }

    /// Whatever a peer sends: an error, and no trap, no endless loop, no memory without bound.
    @Test func forgedMessagesAreRefused() throws {
        let bytes = try #require(Self.call.bytes)
        for count in 16..<bytes.count {
            #expect(throws: DBusFault.self) { try DBusMessage(reading: Array(bytes.prefix(count))) }
        }
        #expect(throws: DBusFault.self) { try DBusMessage(reading: bytes + [0]) }
        var random = SystemRandomNumberGenerator()
        var refused = 0
        for place in bytes.indices {
            for value in [0, 1, 0x7f, 0x80, 0xff, UInt8.random(in: 0...255, using: &random)] {
                var forged = bytes
                forged[place] = value
                do { _ = try DBusMessage(reading: forged) } catch { refused += 1 }
            }
        }
        #expect(refused > bytes.count)
        var huge = bytes
        huge.replaceSubrange(4..<8, with: [0xff, 0xff, 0xff, 0xff])
        #expect(throws: DBusFault.self) { try DBusMessage.size(huge) }
        huge = bytes
        huge[0] = UInt8(ascii: "B")
        let fault = #expect(throws: DBusFault.self) { try DBusMessage.size(huge) }
        #expect(fault?.description.contains("byte order") == true)
    }

    @Test func nestedVariantsEnd() throws {
        var value = DBusValue.byte(1)
        for _ in 0..<200 { value = .variant(value) }
        var decoder = DBusDecoder(encoded(value))
        #expect(throws: DBusFault.self) { try decoder.values("v") }
    }

    @Test func whatCannotBeSentIsNotSent() {
        var message = Self.call
        message.body = [.string("a\0b")]
        #expect(message.bytes == nil)
        message.body = [.variant(.strings(["fine", "\0"]))]
        #expect(message.bytes == nil)
        message.body = [.string(String(repeating: "x", count: DBusMessage.maximumSize))]
        #expect(message.bytes == nil)
        message.body = [.variant(.array(of: "nonsense", []))]
        #expect(message.bytes == nil)
    }
}
