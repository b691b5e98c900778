internal import Glibc
package import OCI
internal import Sys

/// What a container's ports are bound for.
package struct PortEndpoint: Sendable {
    /// The container's name, for errors.
    package var name: String
    /// Its addresses as far as they are known, for errors.
    package var addresses: [IPAddress]
    /// What comes from other machines is the firewall's to pass on: then a port needs no program that knows its protocol.
    package var isServedByKernel: Bool

    package init(name: String, addresses: [IPAddress] = [], isServedByKernel: Bool = false) {
        self.name = name
        self.addresses = addresses
        self.isServedByKernel = isServedByKernel
    }
}

/// Sockets at the published ports of one container, which are its own as long as this value lives or a process holds them.
package final class BoundPorts {
    private(set) var sockets: [PortSocket] = []
    /// In the order in which they were asked for, version 4 first.
    package private(set) var published: [PublishedPort] = []

    package var isEmpty: Bool { published.isEmpty }

    fileprivate func append(_ sockets: [PortSocket]) {
        self.sockets += sockets
        published += sockets.map(\.published)
    }

    /// One that needs no socket.
    fileprivate func append(_ port: PublishedPort) { published.append(port) }
}

/// Takes ports of the host.
package enum PortBinding {
    /// Binds all of them, or none: a port that is taken is an error before anything was started.
    package static func bind(
        _ mappings: [PortMapping], for endpoint: PortEndpoint
    ) throws(NetworkError) -> BoundPorts {
        let bound = BoundPorts()
        var seen: Set<PortMapping> = []
        var random = RandomPorts()
        for mapping in mappings {
            // The same port asked for twice is one; any free port asked for twice is two.
            if mapping.hostPorts?.count == 1, !seen.insert(mapping).inserted { continue }
            guard bound.sockets.count < PortHolder.mostSockets else { throw .tooManyPorts(PortHolder.mostSockets) }
            do throws(PortFailure) {
                try OpenFilesLimit.whileRaised { () throws(PortFailure) in
                    try bind(mapping, &random, endpoint, bound)
                }
            } catch {
                throw .port(error)
            }
        }
        return bound
    }

    private static func bind(
        _ mapping: PortMapping, _ random: inout RandomPorts, _ endpoint: PortEndpoint, _ bound: BoundPorts
    ) throws(PortFailure) {
        if mapping.port.transport == .sctp, !endpoint.isServedByKernel {
            throw PortFailure(endpoint, mapping.port, .any4, 0, Errno(rawValue: EPROTONOSUPPORT))
        }
        guard let wanted = mapping.hostPorts else { return try bindRandom(mapping, &random, endpoint, bound) }
        for number in wanted {
            do throws(PortFailure) {
                return try attempt(mapping, number, endpoint, bound)
            } catch let error where error.errno == .addressInUse && number < wanted.upperBound {
                continue
            }
        }
    }

    private static func bindRandom(
        _ mapping: PortMapping, _ random: inout RandomPorts, _ endpoint: PortEndpoint, _ bound: BoundPorts
    ) throws(PortFailure) {
        for _ in 0..<random.range.count {
            do throws(PortFailure) {
                return try attempt(mapping, random.next(), endpoint, bound)
            } catch let error where error.errno == .addressInUse {
                continue
            }
        }
        var failure = PortFailure(endpoint, mapping.port, mapping.address ?? .any4, 0, .addressInUse)
        failure.exhausted = random.range
        throw failure
    }

    /// All addresses of the host have the same number.
    private static func attempt(
        _ mapping: PortMapping, _ number: UInt16, _ endpoint: PortEndpoint, _ bound: BoundPorts
    ) throws(PortFailure) {
        var sockets: [PortSocket] = []
        for address in mapping.address.map({ [$0] }) ?? [.any4, .any6] {
            let port = PublishedPort(mapping.port, address: address, hostPort: number)
            do throws(Errno) {
                sockets.append(try PortSocket(port))
            } catch let error where lacksVersion(error) && mapping.address == nil && address.isVersion6 {
                // A host without version 6.
                continue
            } catch let error where mapping.port.transport == .sctp && lacksProtocol(error) {
                // Nobody else can have it either.
                bound.append(port)
            } catch {
                throw PortFailure(endpoint, mapping.port, address, number, error)
            }
        }
        bound.append(sockets)
    }

    private static func lacksVersion(_ error: Errno) -> Bool {
        error == .addressNotAvailable || error.rawValue == EAFNOSUPPORT
    }

    private static func lacksProtocol(_ error: Errno) -> Bool {
        [EPROTONOSUPPORT, ESOCKTNOSUPPORT].contains(error.rawValue)
    }
}

/// The numbers for those who want any: as docker gives them, one after another of the kernel's range for outgoing
/// connections (ip_local_port_range of ip(7)).
private struct RandomPorts {
    let range: ClosedRange<UInt16>
    private var last: UInt16

    init() {
        let text = (try? File.readAll("/proc/sys/net/ipv4/ip_local_port_range", limit: 64)) ?? []
        let words = String(decoding: text, as: UTF8.self).split { $0 == "\t" || $0 == " " || $0 == "\n" }
        let ends = words.compactMap { UInt16($0) }
        range = ends.count == 2 && ends[0] <= ends[1] && ends[0] > 0 ? ends[0]...ends[1] : 32768...60999
        last = range.upperBound
    }

    mutating func next() -> UInt16 {
        last = last < range.upperBound ? last + 1 : range.lowerBound
        return last
    }
}
