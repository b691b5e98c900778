/// The names of containers and volumes, which become names of files: `[a-zA-Z0-9][a-zA-Z0-9_.-]+`, at most 255 bytes.
package enum ResourceName {
    package static let pattern = "[a-zA-Z0-9][a-zA-Z0-9_.-]"
    /// NAME_MAX of limits.h.
    package static let maximumLength = 255

    package static func isValid(_ text: String) -> Bool {
        let bytes = text.utf8
        guard (2...maximumLength).contains(bytes.count), let first = bytes.first, isAlphanumeric(first) else {
            return false
        }
        return bytes.allSatisfy { isAlphanumeric($0) || "_.-".utf8.contains($0) }
    }

    /// Those of networks may be one byte long.
    package static func isNetwork(_ text: String) -> Bool {
        guard let first = text.utf8.first, text.utf8.count <= maximumLength, isAlphanumeric(first) else { return false }
        return text.utf8.allSatisfy { isAlphanumeric($0) || "_.-".utf8.contains($0) }
    }

    package static func isAlphanumeric(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"):
            true
        default: false
        }
    }

    /// Whether it is a container's ID, 64 digits of lower-case hexadecimal: whatever else lies among our directories is
    /// none of ours.
    package static func isContainerID(_ text: String) -> Bool {
        text.utf8.count == 64
            && text.utf8.allSatisfy {
                (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0)
                    || (UInt8(ascii: "a")...UInt8(ascii: "f")).contains($0)
            }
    }
}
