internal import Sys

/// The names of the host's users.
enum UserNames {
    /// From passwd(5), without the service switch, which a static executable does not have; a user who is not there, by
    /// number.
    static func name(of uid: UInt32) -> String {
        let text = String(decoding: (try? File.readAll("/etc/passwd", limit: 4 << 20)) ?? [], as: UTF8.self)
        for line in text.split(separator: "\n") {
            let parts = line.split(separator: ":", omittingEmptySubsequences: false)
            if parts.count > 2, UInt32(parts[2]) == uid { return String(parts[0]) }
        }
        return "#\(uid)"
    }
}
