internal import CLinux
internal import Glibc
package import OCI
internal import Sys

/// What an interface of a container gets in its namespace.
package struct InterfaceSetup: Sendable {
    package var name: String
    package var addresses: [IPPrefix]
    /// Of the default routes: at most one of each version.
    package var gateways: [IPAddress]

    package init(name: String, addresses: [IPPrefix], gateways: [IPAddress] = []) {
        self.name = name
        self.addresses = addresses
        self.gateways = gateways
    }

    /// In the calling thread's namespace, before it has interfaces: what they are to have from their first moment on.
    package static func prepareNamespace(hasIPv6: Bool) throws(NetworkError) {
        if !hasIPv6 { return try Sysctl.writeIfPresent("ipv6/conf/default/disable_ipv6", "1") }
        try Sysctl.write("ipv6/conf/default/disable_ipv6", "0")
        // Whose address it is we decide, and nobody else may say that it is taken.
        try Sysctl.write("ipv6/conf/default/accept_dad", "0")
    }

    /// Sets up the loopback and these interfaces, which are there, in the calling thread's namespace.
    package static func apply(_ interfaces: [InterfaceSetup]) throws(NetworkError) {
        var route = try RouteSocket()
        var request = NetlinkRequest()
        // The first link of every namespace.
        request.message(RTM_NEWLINK) { $0.linkHeader(1, up: true) }
        for interface in interfaces {
            guard let link = try route.link(named: interface.name) else {
                throw .system(SystemFailure("set up", interface.name, Errno(rawValue: ENODEV)))
            }
            for address in interface.addresses { request.addAddress(address, to: link.index) }
            if !link.isUp { request.message(RTM_NEWLINK) { $0.linkHeader(link.index, up: true) } }
            for gateway in interface.gateways { request.addDefaultRoute(by: gateway, link: link.index) }
        }
        try route.perform("set up", interfaces.map(\.name).joined(separator: ", "), request)
    }
}
