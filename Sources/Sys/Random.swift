internal import CLinux
internal import Glibc

/// Bytes from getrandom(2).
package enum Random {
    /// `count` random bytes (256 at most) as lower-case hexadecimal digits, by one system call.
    package static func hex(bytes count: Int) -> String {
        var bytes = [UInt8](repeating: 0, count: min(count, 256))
        let wanted = bytes.count
        // Up to 256 bytes come whole and without a signal's interruption once the pool is ready (getrandom(2)).
        if getrandom(&bytes, wanted, 0) != wanted {
            var generator = SystemRandomNumberGenerator()
            for index in bytes.indices { bytes[index] = UInt8.random(in: 0...255, using: &generator) }
        }
        let digits = Array("0123456789abcdef".utf8)
        return String(decoding: bytes.flatMap { [digits[Int($0 >> 4)], digits[Int($0 & 15)]] }, as: UTF8.self)
    }
}
