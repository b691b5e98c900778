internal import OCI
internal import Sys

/// The host hands packets on between its interfaces: what it takes for containers to reach the outside.
package struct Forwarding: Sendable, Hashable {
    /// Interfaces that do not forward version 4 and are to. The firewall keeps what comes in by them from all but our
    /// bridges: the host does not become a router for others.
    package var switched: [String] = []
    /// Interfaces that are there when version 6, which has one switch for all, is switched on.
    package var switched6: [String] = []
    /// Interfaces that are told to take routes of version 6 from their routers still, which a router does not.
    package var advertised: [String] = []
    private var needsIPv6 = false

    /// The host's owner has made it a router of version 4: what was switched before is forwarding by right now.
    package static var isRouter: Bool { Sysctl.read("ipv4/ip_forward") == "1" }

    /// Nothing is needed.
    package var isEmpty: Bool { self == Forwarding() }

    /// What is off and is needed, in the namespace of the calling thread; changes nothing but our bridges. Where version 4
    /// is on for all, nothing else is looked at for it.
    package static func needed(
        bridges: Set<String>, hasIPv6: Bool, by route: inout RouteSocket
    ) throws(NetworkError) -> Forwarding {
        var result = Forwarding()
        for bridge in bridges.sorted() where !isOn(bridge) { try enable(bridge) }
        let links = isRouter && !hasIPv6 ? [] : try route.links().filter { !$0.isLoopback }
        if !isRouter {
            let addresses = Set(try route.addresses().filter { !$0.prefix.isVersion6 }.map(\.link))
            result.switched = links.filter { link in
                link.isUp && !bridges.contains(link.name) && addresses.contains(link.index) && !isOn(link.name)
            }.map(\.name)
        }
        guard hasIPv6, Sysctl.read("ipv6/conf/all/forwarding") != "1" else { return result }
        let ours = Set(links.filter { bridges.contains($0.name) }.map(\.index))
        let others = links.filter { !ours.contains($0.index) && !ours.contains($0.master ?? 0) }.map(\.name)
        result.switched6 = others
        result.advertised = others.filter { Sysctl.read("ipv6/conf/\($0)/accept_ra") == "1" }
        result.needsIPv6 = true
        return result
    }

    /// Switches it on.
    package func enable() throws(NetworkError) {
        for name in switched { try Forwarding.enable(name) }
        // First: with the switch the kernel forgets the routes of those that still take them from routers.
        for name in advertised { try Sysctl.writeIfPresent("ipv6/conf/\(name)/accept_ra", "2") }
        if needsIPv6 { try Sysctl.write("ipv6/conf/all/forwarding", "1") }
    }

    private static func setting(_ name: String) -> String { "ipv4/conf/\(name)/forwarding" }
    private static func isOn(_ name: String) -> Bool { Sysctl.read(setting(name)) == "1" }
    /// An interface that is gone meanwhile is no error.
    private static func enable(_ name: String) throws(NetworkError) { try Sysctl.writeIfPresent(setting(name), "1") }
}
