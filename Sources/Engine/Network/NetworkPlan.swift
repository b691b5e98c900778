internal import OCI

/// Decides what becomes of a `network create`: pure, in docker's words where something is refused.
struct NetworkPlan {
    let request: NetworkRequest
    /// The networks that are there, the default one with them.
    let others: [NetworkRecord]
    /// Where the host's own routes lead.
    let routes: [IPPrefix]
    let pools: [AddressPool]

    func record(id: String, created: String) throws(EngineError) -> NetworkRecord {
        try checkName()
        var record = NetworkRecord(id: id, name: request.name, created: created)
        record.driver = try driver()
        record.isInternal = request.isInternal
        record.labels = request.labels
        record.options = request.options
        try NetworkPlan.checkOptions(record)
        if let other = others.first(where: {
            record.driver == .bridge && $0.driver == .bridge && $0.bridge == record.bridge
        }) {
            throw .conflict(
                "cannot create network \(id) (\(record.name)): conflicts with network \(other.id) (\(other.name)): "
                    + "networks have same bridge name")
        }
        record.subnets = try subnets(record.driver)
        record.hasIPv6 = record.subnets.contains { $0.prefix.isVersion6 }
        return record
    }

    /// Whether the kernel would take it for an interface's name (dev_valid_name of net/core/dev.c), without what only
    /// confuses.
    static func isInterface(_ text: String) -> Bool {
        (1...15).contains(text.utf8.count) && text != "." && text != ".."
            && text.utf8.allSatisfy { (0x21...0x7e).contains($0) && !"/:%\"'\\".utf8.contains($0) }
    }

    private func checkName() throws(EngineError) {
        let name = request.name
        if PredefinedNetwork.isReserved(name) {
            throw .invalid("operation is not permitted on predefined \(name) network")
        }
        guard ResourceName.isNetwork(name) else {
            throw .invalid("invalid network name (\(ForeignText(name))), only \(ResourceName.pattern) are allowed")
        }
        if others.contains(where: { $0.name == name }) { throw .conflict("network with name \(name) already exists") }
    }

    private func driver() throws(EngineError) -> NetworkRecord.Driver {
        if let driver = NetworkRecord.Driver(rawValue: request.driver), driver != .cni { return driver }
        switch request.driver {
        case "host", "null": throw .invalid("only one instance of \"\(request.driver)\" network is allowed")
        case "ipvlan": throw .notSupportedYet("network driver ipvlan")
        case "overlay": throw .invalid("network driver overlay: clusters are not part of runimg")
        default: throw .invalid("plugin \"\(ForeignText(request.driver))\" not found")
        }
    }

    private static func checkOptions(_ record: NetworkRecord) throws(EngineError) {
        func refuse(_ key: String, _ why: String) -> EngineError {
            .invalid("failed to parse \(key) value: \(ForeignText(record.options[key] ?? "")) (\(why))")
        }
        func boolean(_ key: String) throws(EngineError) {
            guard let text = record.options[key], NetworkRecord.flag(text) == nil else { return }
            throw refuse(key, "strconv.ParseBool: parsing \"\(ForeignText(text))\": invalid syntax")
        }
        try boolean(NetworkOptionKey.connectsContainers)
        try boolean(NetworkOptionKey.masquerades)
        if let text = record.options[NetworkOptionKey.mtu] {
            guard let mtu = Int(text) else {
                throw refuse(NetworkOptionKey.mtu, "strconv.Atoi: parsing \"\(ForeignText(text))\": invalid syntax")
            }
            // 0 is docker's for the usual one; the least that carries version 4, and version 6.
            guard mtu == 0 || (68...65_535).contains(mtu) else { throw .invalid("invalid mtu number: \(mtu)") }
        }
        if let text = record.options[NetworkOptionKey.publishAddress], IPAddress(text)?.isVersion6 != false {
            throw refuse(NetworkOptionKey.publishAddress, "nil ip")
        }
        for key in [NetworkOptionKey.bridgeName, NetworkOptionKey.parent] {
            guard let text = record.options[key], !isInterface(text) else { continue }
            throw refuse(key, "no name of an interface")
        }
        if record.driver == .macvlan { try checkMacvlan(record) }
    }

    private static func checkMacvlan(_ record: NetworkRecord) throws(EngineError) {
        let mode = record.options[NetworkOptionKey.macvlanMode] ?? "bridge"
        guard ["bridge", "", "private", "vepa", "passthru"].contains(mode) else {
            throw .invalid(
                "requested macvlan mode '\(ForeignText(mode))' is not valid, 'bridge' mode is the macvlan driver default"
            )
        }
        guard mode == "bridge" || mode.isEmpty else { throw .notSupportedYet("macvlan mode \(mode)") }
        if record.parent == nil { throw .notSupportedYet("a macvlan network without -o parent=INTERFACE") }
    }
}
