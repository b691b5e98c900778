internal import OCI
internal import Sys

/// The host hands packets on between its interfaces: what it takes for containers to reach the outside.
package struct Forwarding: Sendable, Hashable {
    /// Interfaces that did not forward version 4 and now do. The firewall keeps what comes in by them from all but our
    /// bridges: the host does not become a router for others.
    package var switched: [String] = []
    /// Interfaces that were there when version 6, which has one switch for all, was switched on.
    package var switched6: [String] = []
    /// Interfaces that were told to take routes of version 6 from their routers still, which a router does not.
    package var advertised: [String] = []

    /// The host's owner has made it a router of version 4: what was switched before is forwarding by right now.
    package static var isRouter: Bool { Sysctl.read("ipv4/ip_forward") == "1" }

    /// Nothing was changed.
    package var isEmpty: Bool { self == Forwarding() }

    /// Switches on what is off, in the namespace of the calling thread, and returns what that was. Where version 4 is on
    /// for all, nothing but our bridges is looked at.
    package static func enable(
        bridges: Set<String>, hasIPv6: Bool, by route: inout RouteSocket
    ) throws(NetworkError) -> Forwarding {
        var result = Forwarding()
        for bridge in bridges.sorted() { _ = try enable(bridge) }
        if !isRouter {
            let addresses = Set(try route.addresses().filter { !$0.prefix.isVersion6 }.map(\.link))
            for link in try route.links()
            where link.isUp && !link.isLoopback && !bridges.contains(link.name) && addresses.contains(link.index) {
                if try enable(link.name) { result.switched.append(link.name) }
            }
        }
        if hasIPv6 { try result.enableIPv6(except: bridges, &route) }
        return result
    }

    /// False where it was on.
    private static func enable(_ name: String) throws(NetworkError) -> Bool {
        let setting = "ipv4/conf/\(name)/forwarding"
        if Sysctl.read(setting) == "1" { return false }
        do throws(NetworkError) {
            try Sysctl.write(setting, "1")
            return true
        } catch .system(let failure) where failure.errno == .noEntry {
            // Gone meanwhile.
            return false
        }
    }

    private mutating func enableIPv6(except bridges: Set<String>, _ route: inout RouteSocket) throws(NetworkError) {
        if Sysctl.read("ipv6/conf/all/forwarding") == "1" { return }
        let links = try route.links()
        let ours = Set(links.filter { bridges.contains($0.name) }.map(\.index))
        // First: with the switch the kernel forgets the routes of the others.
        for link in links where !link.isLoopback && !ours.contains(link.index) && !ours.contains(link.master ?? 0) {
            switched6.append(link.name)
            let setting = "ipv6/conf/\(link.name)/accept_ra"
            if Sysctl.read(setting) != "1" { continue }
            try Sysctl.writeIfPresent(setting, "2")
            advertised.append(link.name)
        }
        try Sysctl.write("ipv6/conf/all/forwarding", "1")
    }
}
