internal import CLinux
internal import Glibc
internal import Synchronization
internal import Sys

/// Bytes a second that several transfers share: who has taken some waits until they are paid for, and the kernel holds
/// the sender back meanwhile.
final class RateLimiter: Sendable {
    private let bytesPerSecond: Int64
    /// When all that was taken is paid for, in monotonic nanoseconds.
    private let paid = Mutex<Int64>(0)

    /// What may come at once: a quarter of a second's.
    private static let ahead: Int64 = 250_000_000

    init(_ bytesPerSecond: Int64) { self.bytesPerSecond = max(1, bytesPerSecond) }

    /// How much libcurl is to hand over at once.
    var portion: Int { Int(min(256 << 10, max(1024, bytesPerSecond / 8))) }

    /// Ends early when `isInterrupted` says so.
    func take(_ count: Int, isInterrupted: () -> Bool) {
        let cost = Int64(Double(count) * 1e9 / Double(bytesPerSecond))
        let end = paid.withLock { paid in
            paid = max(paid, Clock.monotonicNanoseconds) + cost
            return paid - RateLimiter.ahead
        }
        while !isInterrupted() {
            let left = end - Clock.monotonicNanoseconds
            if left <= 0 { return }
            usleep(useconds_t(min(left / 1000 + 1, 100_000)))
        }
    }
}
