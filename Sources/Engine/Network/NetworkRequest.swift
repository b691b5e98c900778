/// What `network create` asks for, as typed.
package struct NetworkRequest: Sendable, Hashable {
    package var name: String
    package var driver = "bridge"
    package var subnets: [Subnet] = []
    /// Without a way to the outside and to other networks.
    package var isInternal = false
    package var hasIPv6 = false
    package var labels: [String: String] = [:]
    package var options: [String: String] = [:]

    package init(name: String) { self.name = name }

    /// One `--subnet` with what belongs to it of the other flags.
    package struct Subnet: Sendable, Hashable {
        package var prefix: String
        package var gateway: String?
        package var range: String?
        /// `--aux-address NAME=ADDRESS`.
        package var reserved: [String: String] = [:]

        package init(_ prefix: String) { self.prefix = prefix }
    }
}

/// A network as lists and `inspect` show it.
package struct NetworkDetails: Sendable, Hashable {
    package var record: NetworkRecord
    /// docker's word, also for those that have no record: `host`, `null`.
    package var driver: String
    /// Always there, and never removed.
    package var isBuiltin = false
    /// Whether a container's record names it, or a running container is on it.
    package var isUsed = false
    /// The containers that are on it at the moment.
    package var members: [NetworkMember] = []

    package init(_ record: NetworkRecord) {
        self.record = record
        driver = record.driver.rawValue
    }
}

/// A running container on a network.
package struct NetworkMember: Sendable, Hashable {
    package var id: String
    package var name: String
    package var endpoint: Endpoint

    package init(id: String, name: String, endpoint: Endpoint) {
        self.id = id
        self.name = name
        self.endpoint = endpoint
    }
}
