/// The keys that let go of a container: `ctrl-p,ctrl-q` unless the user has others. What turns out to be no such
/// sequence is passed on.
package struct DetachKeys: Sendable {
    private let sequence: [UInt8]
    /// How much of the sequence was seen, and is held back.
    private var matched = 0

    package static let standard: [UInt8] = [16, 17]

    package struct InvalidKeys: Error, CustomStringConvertible {
        package let description: String
    }

    /// No keys detach with an empty sequence.
    package init(_ sequence: [UInt8]) { self.sequence = sequence }

    /// Parses docker's spelling: single characters and `ctrl-X`, with commas.
    package init(parsing text: String) throws(InvalidKeys) {
        var sequence: [UInt8] = []
        for word in text.split(separator: ",", omittingEmptySubsequences: false) {
            guard let key = DetachKeys.key(word) else {
                throw InvalidKeys(description: "Invalid detach keys (\(text)) provided")
            }
            sequence.append(key)
        }
        self.init(sequence)
    }

    private static func key(_ word: Substring) -> UInt8? {
        if word.utf8.count == 1 { return word.utf8.first }
        guard word.lowercased().hasPrefix("ctrl-"), let last = word.lowercased().utf8.last, word.utf8.count == 6 else {
            return nil
        }
        switch last {
        case UInt8(ascii: "a")...UInt8(ascii: "z"): return last - UInt8(ascii: "a") + 1
        case UInt8(ascii: "@"): return 0
        case UInt8(ascii: "["): return 27
        case UInt8(ascii: "\\"): return 28
        case UInt8(ascii: "]"): return 29
        case UInt8(ascii: "^"): return 30
        case UInt8(ascii: "_"): return 31
        default: return nil
        }
    }

    /// What of `bytes` goes to the container, and whether the user let go of it then.
    package mutating func filter(_ bytes: [UInt8]) -> (passed: [UInt8], detached: Bool) {
        if sequence.isEmpty { return (bytes, false) }
        var passed: [UInt8] = []
        for byte in bytes {
            if byte == sequence[matched] {
                matched += 1
                if matched == sequence.count { return (passed, true) }
                continue
            }
            passed += sequence[..<matched]
            matched = byte == sequence[0] ? 1 : 0
            if matched == 0 { passed.append(byte) }
        }
        return (passed, false)
    }
}
