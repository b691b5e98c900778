internal import Glibc
internal import Sys

/// A program that takes what a network namespace sends and sends it on from its own sockets, those of an ordinary user:
/// the way out for containers without root. The case's name is the program's, and that of the network.
package enum UserNetwork: String, Sendable, Hashable, CaseIterable {
    /// passt(1): gives the container the host's own address, and copies nothing twice.
    case pasta
    /// slirp4netns(1): a TCP stack of its own behind 10.0.2.0/24.
    case slirp4netns

    static let device = "/dev/net/tun"
    private static let places = ["/usr/bin", "/usr/local/bin", "/bin"]

    /// The one to take where nobody has said which: pasta, where there is an address to give away. Else the reasons.
    package static func usual() -> (UserNetwork?, lack: String) {
        var lacks: [String] = []
        for program in allCases {
            let lack = program.obstacle ?? (program.address == nil ? "\(program.rawValue) needs a default route" : nil)
            guard let lack else { return (program, "") }
            if !lacks.contains(lack) { lacks.append(lack) }
        }
        return (nil, lacks.joined(separator: "; "))
    }

    /// What it lacks here, and what helps; nil where it can be used.
    package var obstacle: String? {
        if program == nil { return "\(rawValue) is not installed (Debian's package \(package))" }
        do throws(Errno) {
            _ = try File.open(UserNetwork.device, O_RDWR | O_NOCTTY)
            return nil
        } catch .noEntry {
            return "\(UserNetwork.device) is not there (sudo modprobe tun)"
        } catch {
            return "\(UserNetwork.device) can't be opened: \(error) (sudo chmod 666 \(UserNetwork.device))"
        }
    }

    /// The program's path; nil where it is not installed.
    var program: String? {
        UserNetwork.places.lazy.map { "\($0)/\(rawValue)" }.first { access($0, X_OK) == 0 }
    }

    private var package: String {
        switch self {
        case .pasta: "passt"
        case .slirp4netns: "slirp4netns"
        }
    }

    /// The address that the container has; nil where there is none to give.
    package var address: String? {
        switch self {
        case .pasta: HostAddress.outward
        case .slirp4netns: "10.0.2.100"
        }
    }

    /// Where the container asks for names: what leads to the host's first resolver, also to one on its loopback.
    var resolver: String {
        switch self {
        case .pasta: "169.254.1.1"
        case .slirp4netns: "10.0.2.3"
        }
    }

    /// A container's resolv.conf(5) made of the host's: its options and search list, with the way to its resolvers.
    package func resolverFile(_ host: String) -> String {
        var result: [Substring] = []
        var hasForwarded = false
        for line in host.split(separator: "\n") {
            let words = line.split { $0 == " " || $0 == "\t" }
            guard words.first == "nameserver", words.count > 1 else {
                result.append(line)
                continue
            }
            // Only those of version 4 are forwarded; the container reaches one of version 6 as the host does, or never.
            if words[1].contains(":") {
                if self == .pasta, words[1] != "::1" { result.append(line) }
            } else if !hasForwarded {
                hasForwarded = true
                result.append("nameserver \(resolver)")
            }
        }
        return result.map { "\($0)\n" }.joined()
    }
}

/// The host's own address.
enum HostAddress {
    /// What outward packets of version 4 come from; nil without a default route. Sends nothing: connecting a datagram
    /// socket only looks the route up (udp(7)).
    static var outward: String? {
        let made = socket(AF_INET, Int32(SOCK_DGRAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        if made < 0 { return nil }
        let descriptor = OwnedFD(adopting: made)
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = UInt16(9).bigEndian
        // TEST-NET-3 (RFC 5737): nobody's.
        address.sin_addr.s_addr = UInt32(0xcb00_7101).bigEndian
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let isKnown = withUnsafeMutablePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                connect(descriptor.raw, __CONST_SOCKADDR_ARG(__sockaddr__: $0), length) == 0
                    && getsockname(descriptor.raw, __SOCKADDR_ARG(__sockaddr__: $0), &length) == 0
            }
        }
        guard isKnown else { return nil }
        let bits = UInt32(bigEndian: address.sin_addr.s_addr)
        return stride(from: 24, through: 0, by: -8).map { "\((bits >> UInt32($0)) & 0xff)" }.joined(separator: ".")
    }
}
