internal import Glibc
internal import Sys

/// Settings of the network namespace that the calling thread is in, below /proc/sys/net.
enum Sysctl {
    /// nil where the kernel has none of that name.
    static func read(_ name: String) -> String? {
        guard let bytes = try? File.readAll("/proc/sys/net/\(name)", limit: 4096) else { return nil }
        return String(decoding: bytes.prefix { $0 != 0x0a }, as: UTF8.self)
    }

    static func write(_ name: String, _ value: String) throws(NetworkError) {
        do throws(Errno) {
            let file = try File.open("/proc/sys/net/\(name)", O_WRONLY | O_NOCTTY)
            try File.write(file.raw, value)
        } catch {
            throw .system(SystemFailure("set \(value) in", "/proc/sys/net/\(name)", error))
        }
    }

    /// The same, where the kernel has it: one without IPv6 has no settings of it.
    static func writeIfPresent(_ name: String, _ value: String) throws(NetworkError) {
        do throws(NetworkError) {
            try write(name, value)
        } catch .system(let failure) where failure.errno == .noEntry {
            return
        }
    }
}
