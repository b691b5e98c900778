/// Extended attributes as tars carry them: SCHILY.xattr (raw), LIBARCHIVE.xattr (base64 under a URL-encoded name) and
/// SCHILY.acl (text).
enum FileAttributes {
    static func collect(_ records: PAXRecords, limits: ExtractionLimits) throws(MemberError) -> [TarEntry.Attribute] {
        if records.order.isEmpty { return [] }
        var result: [TarEntry.Attribute] = []
        // One header has room for 40,000 names: a search through a list would take minutes.
        var seen: Set<[UInt8]> = []
        func add(_ name: [UInt8], _ value: [UInt8]) throws(MemberError) {
            if value.count > limits.attributeSize {
                throw .limit(.attributeSize, allowed: UInt64(limits.attributeSize))
            }
            if name.isEmpty || name.count > 255 { throw .malformed("invalid extended attribute name") }
            // The first wins: SCHILY's raw bytes are looked at before the other notations.
            if seen.insert(name).inserted { result.append(TarEntry.Attribute(name: name, value: value)) }
        }
        for key in records.order {
            if let name = rest(of: key, after: "SCHILY.xattr.") { try add(name, records.values[key] ?? []) }
        }
        for (key, name) in aclNames {
            guard let text = records[key] else { continue }
            guard let value = ACLText.attribute(text) else { throw .malformed("invalid ACL in \(key)") }
            try add(name, value)
        }
        for key in records.order {
            guard let encoded = rest(of: key, after: "LIBARCHIVE.xattr.") else { continue }
            guard let value = base64(records.values[key] ?? []) else {
                throw .malformed("invalid base64 in extended attribute")
            }
            try add(percentDecoded(encoded), value)
        }
        return result
    }

    private static let aclNames: [(StaticString, [UInt8])] = [
        ("SCHILY.acl.access", Array("system.posix_acl_access".utf8)),
        ("SCHILY.acl.default", Array("system.posix_acl_default".utf8)),
    ]

    private static func rest(of key: [UInt8], after prefix: StaticString) -> [UInt8]? {
        let count = prefix.utf8CodeUnitCount
        return prefix.withUTF8Buffer { key.starts(with: $0) } ? Array(key.dropFirst(count)) : nil
    }

    static func base64(_ text: [UInt8]) -> [UInt8]? {
        var result: [UInt8] = []
        var bits: UInt32 = 0
        var count = 0
        for byte in text {
            let digit: UInt8
            switch byte {
            case UInt8(ascii: "A")...UInt8(ascii: "Z"): digit = byte - UInt8(ascii: "A")
            case UInt8(ascii: "a")...UInt8(ascii: "z"): digit = byte - UInt8(ascii: "a") + 26
            case UInt8(ascii: "0")...UInt8(ascii: "9"): digit = byte - UInt8(ascii: "0") + 52
            case UInt8(ascii: "+"): digit = 62
            case UInt8(ascii: "/"): digit = 63
            // Writers may pad or not.
            case UInt8(ascii: "="): continue
            default: return nil
            }
            bits = bits << 6 | UInt32(digit)
            count += 6
            if count >= 8 {
                count -= 8
                result.append(UInt8(truncatingIfNeeded: bits >> UInt32(count)))
            }
        }
        return result
    }

    static func percentDecoded(_ text: [UInt8]) -> [UInt8] {
        var result: [UInt8] = []
        var rest = text[...]
        while let byte = rest.popFirst() {
            if byte == UInt8(ascii: "%"), rest.count >= 2,
                let value = UInt8(String(decoding: rest.prefix(2), as: UTF8.self), radix: 16)
            {
                result.append(value)
                rest = rest.dropFirst(2)
            } else {
                result.append(byte)
            }
        }
        return result
    }
}
