internal import CCurl
internal import CLinux
internal import Glibc

/// The Retry-After header (RFC 9110, 10.2.3): seconds, or a date.
enum RetryAfter {
    /// Seconds from `now`, which is Unix time; never negative; nil when it is neither form.
    static func seconds(_ text: String, now: Int = time(nil)) -> Double? {
        if let seconds = Int(text) { return Double(max(0, seconds)) }
        let date = curl_getdate(text, nil)
        guard date >= 0 else { return nil }
        return Double(max(0, date - now))
    }
}
