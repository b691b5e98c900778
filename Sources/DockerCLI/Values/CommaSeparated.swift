/// One record of comma-separated values as Go's encoding/csv reads it (RFC 4180): docker's `--mount` and `--network` long
/// forms, where a field with a comma is put in quotes.
package enum CommaSeparated {
    package static func fields(_ text: String) throws(ValueError) -> [String] {
        guard !text.isEmpty else { throw .invalid("EOF") }
        let bytes = Array(text.utf8)
        var fields: [String] = []
        var index = 0
        while true {
            if index < bytes.count, bytes[index] == quote {
                fields.append(try quotedField(bytes, &index))
            } else {
                fields.append(try plainField(bytes, &index))
            }
            guard index < bytes.count else { return fields }
            // The comma.
            index += 1
        }
    }

    private static let quote = UInt8(ascii: "\"")
    private static let comma = UInt8(ascii: ",")

    private static func plainField(_ bytes: [UInt8], _ index: inout Int) throws(ValueError) -> String {
        let start = index
        while index < bytes.count, bytes[index] != comma {
            if bytes[index] == quote {
                throw .invalid("parse error on line 1, column \(index + 1): bare \" in non-quoted-field")
            }
            index += 1
        }
        return String(decoding: bytes[start..<index], as: UTF8.self)
    }

    private static func quotedField(_ bytes: [UInt8], _ index: inout Int) throws(ValueError) -> String {
        var field: [UInt8] = []
        index += 1
        while index < bytes.count {
            guard bytes[index] == quote else {
                field.append(bytes[index])
                index += 1
                continue
            }
            if index + 1 < bytes.count, bytes[index + 1] == quote {
                field.append(quote)
                index += 2
            } else if index + 1 == bytes.count || bytes[index + 1] == comma {
                index += 1
                return String(decoding: field, as: UTF8.self)
            } else {
                throw .invalid("parse error on line 1, column \(index + 1): extraneous or missing \" in quoted-field")
            }
        }
        throw .invalid("parse error on line 1, column \(bytes.count + 1): extraneous or missing \" in quoted-field")
    }
}
