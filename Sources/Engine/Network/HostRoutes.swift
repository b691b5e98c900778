internal import Glibc
internal import OCI
internal import Sys

/// Where the host's addresses and routes lead, so that no network takes those away (proc_pid_net(5)).
struct HostRoute: Sendable, Hashable {
    let prefix: IPPrefix
    let interface: String

    /// All but default routes, loopback and link-local ones. What can't be read is not there.
    static func all() -> [HostRoute] {
        func text(_ name: String) -> String {
            String(decoding: (try? File.readAll("/proc/self/net/\(name)", limit: 64 << 20)) ?? [], as: UTF8.self)
        }
        return version4(text("route")) + version6(text("if_inet6"))
    }

    /// `route`: a header, then interface, destination, gateway, flags, three counts and the mask, numbers as they lie in
    /// memory.
    static func version4(_ text: String) -> [HostRoute] {
        text.split(separator: "\n").dropFirst().compactMap { line in
            let fields = line.split { $0 == "\t" || $0 == " " }
            guard fields.count >= 8, let bits = UInt32(fields[1], radix: 16), let mask = UInt32(fields[7], radix: 16),
                case let length = mask.nonzeroBitCount, length > 0,
                let prefix = IPPrefix(IPAddress(UInt32(bigEndian: bits)), length: length)
            else { return nil }
            return HostRoute(prefix: prefix.network, interface: String(fields[0]))
        }
    }

    /// `if_inet6`: address, index, length of the prefix, scope, flags, interface.
    static func version6(_ text: String) -> [HostRoute] {
        text.split(separator: "\n").compactMap { line in
            let fields = line.split(separator: " ")
            guard fields.count >= 6, let length = Int(fields[2], radix: 16) else { return nil }
            let digits = Array(fields[0].utf8)
            let bytes = stride(from: 0, to: digits.count - 1, by: 2).compactMap { start in
                UInt8(String(decoding: digits[start...start + 1], as: UTF8.self), radix: 16)
            }
            guard bytes.count == 16, let address = IPAddress(bytes: bytes), !address.isLoopback, !address.isLinkLocal,
                let prefix = IPPrefix(address, length: length)
            else { return nil }
            return HostRoute(prefix: prefix.network, interface: String(fields[5]))
        }
    }
}
