package import Engine

/// The verbs on networks. A network may be named by its name, its ID or the beginning of that.
package protocol NetworkVerbs {
    func createNetwork(_ request: NetworkRequest) throws -> NetworkDetails
    func networkDetails(named text: String) throws -> NetworkDetails
    func allNetworks(problem: (String) -> Void) throws -> [NetworkDetails]
    func removeNetwork(_ text: String) throws
    func pruneNetworks(_ ids: [String]) throws -> Reclaimed
    func connectNetwork(_ network: String, container: String, _ options: EndpointOptions) throws
    func disconnectNetwork(_ network: String, container: String, force: Bool) throws
}
