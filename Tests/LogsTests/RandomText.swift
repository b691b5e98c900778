/// The same numbers for the same seed (SplitMix64).
struct SeededRandom: RandomNumberGenerator {
    private var state: UInt64
    init(seed: UInt64) { state = seed &+ 0x9e37_79b9_7f4a_7c15 }

    mutating func next() -> UInt64 {
        state &+= 0x9e37_79b9_7f4a_7c15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xbf58_476d_1ce4_e5b9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94d0_49bb_1331_11eb
        return mixed ^ (mixed >> 31)
    }
}

enum RandomText {
    /// Words, newlines, long runs without one, and characters of all lengths; or any bytes.
    static func bytes(binary: Bool, using random: inout SeededRandom) -> [UInt8] {
        let count = Int.random(in: 0..<(Int.random(in: 0..<6, using: &random) == 0 ? 40_000 : 900), using: &random)
        let unbroken = UInt64.random(in: 20..<40_000, using: &random)
        var result: [UInt8] = []
        while result.count < count {
            let number = random.next()
            if binary {
                withUnsafeBytes(of: number) { result += $0 }
            } else {
                result += number % unbroken < 8 ? [10] : pieces[Int(number >> 32) % pieces.count]
            }
        }
        return result
    }

    private static let pieces = [
        "plain words", "\"", "\\", "<", "é", "€", "😀", "\u{2028}", "\t", "\r", "\u{1}", "a b c d e",
    ].map { Array($0.utf8) }

    /// What a reader gets to see: each byte that is no part of a character becomes U+FFFD, as Go counts them. Parts of a
    /// line are looked at by themselves, but they are not cut inside of a character.
    static func repaired(_ bytes: [UInt8]) -> [UInt8] {
        if String(validating: bytes, as: UTF8.self) != nil { return bytes }
        var result: [UInt8] = []
        var at = 0
        while at < bytes.count {
            let length = length(of: bytes[at...].prefix(4))
            result += length == 0 ? Array("\u{fffd}".utf8) : Array(bytes[at..<(at + length)])
            at += max(length, 1)
        }
        return result
    }

    /// Of the character that begins here; 0 when it is none.
    private static func length(of bytes: ArraySlice<UInt8>) -> Int {
        if bytes.first.map({ $0 < 0x80 }) ?? false { return 1 }
        return (2...4).first { length in
            length <= bytes.count && String(validating: bytes.prefix(length), as: UTF8.self)?.unicodeScalars.count == 1
        } ?? 0
    }
}
