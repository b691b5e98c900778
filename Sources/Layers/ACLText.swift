/// POSIX ACLs: from the text of tars (acl(5), with numeric ids as a further field) to the value of
/// `system.posix_acl_access` and `_default` (linux/posix_acl_xattr.h).
enum ACLText {
    private struct Entry {
        var tag: UInt16
        var permissions: UInt16
        var id: UInt32
    }

    private static let version: UInt32 = 2
    private static let noID = UInt32.max

    /// Nil when the text is no ACL whose users and groups have numbers: names would be those of this machine.
    static func attribute(_ text: [UInt8]) -> [UInt8]? {
        var entries: [Entry] = []
        for part in text.split(whereSeparator: { $0 == UInt8(ascii: ",") || $0 == 0x0a }) {
            let trimmed = part.filter { $0 != 0x20 && $0 != 0x09 && $0 != 0x0d }
            if trimmed.isEmpty { continue }
            guard let entry = entry(String(decoding: trimmed, as: UTF8.self)) else { return nil }
            entries.append(entry)
        }
        // The kernel wants them sorted.
        entries.sort { ($0.tag, $0.id) < ($1.tag, $1.id) }
        var value: [UInt8] = []
        append(version, to: &value)
        for entry in entries {
            append(entry.tag, to: &value)
            append(entry.permissions, to: &value)
            append(entry.id, to: &value)
        }
        return value
    }

    /// `user:NAME:rwx[:ID]`, `user::rwx`, `mask::rwx`; NAME may be the number itself.
    private static func entry(_ text: String) -> Entry? {
        let fields = text.split(separator: ":", omittingEmptySubsequences: false)
        guard fields.count >= 2, let first = fields.first else { return nil }
        // `mask:rwx` and `other:rwx` are allowed without the empty field.
        let short = fields.count == 2
        let permissions = short ? fields[1] : fields[2]
        let name = short ? "" : fields[1]
        guard let bits = bits(permissions) else { return nil }
        let id = fields.count > 3 ? fields[3] : name
        switch (first, name.isEmpty) {
        case ("user", true), ("u", true): return Entry(tag: 0x01, permissions: bits, id: noID)
        case ("user", false), ("u", false): return UInt32(id).map { Entry(tag: 0x02, permissions: bits, id: $0) }
        case ("group", true), ("g", true): return Entry(tag: 0x04, permissions: bits, id: noID)
        case ("group", false), ("g", false): return UInt32(id).map { Entry(tag: 0x08, permissions: bits, id: $0) }
        case ("mask", true), ("m", true): return Entry(tag: 0x10, permissions: bits, id: noID)
        case ("other", true), ("o", true): return Entry(tag: 0x20, permissions: bits, id: noID)
        default: return nil
        }
    }

    private static func bits(_ text: Substring) -> UInt16? {
        var result: UInt16 = 0
        for letter in text.utf8 {
            switch letter {
            case UInt8(ascii: "r"): result |= 4
            case UInt8(ascii: "w"): result |= 2
            case UInt8(ascii: "x"): result |= 1
            case UInt8(ascii: "-"): break
            default: return nil
            }
        }
        return result
    }

    private static func append<I: FixedWidthInteger>(_ number: I, to value: inout [UInt8]) {
        withUnsafeBytes(of: number.littleEndian) { value.append(contentsOf: $0) }
    }
}
