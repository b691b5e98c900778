internal import Logs
package import OCI

/// One container as a list shows it: what of its record a list needs, and what it does at the moment.
package struct ContainerSummary: Sendable, Hashable {
    package var id: String
    package var name: String
    /// RFC 3339, as all times here.
    package var created: String
    package var image: Digest
    /// As the user typed it.
    package var imageName = ""
    /// The program and its arguments.
    package var arguments: [String] = []
    package var labels: [String: String] = [:]
    package var state = ContainerRecord.State()
    package var condition = ContainerCondition.created
    package var isPaused = false
    /// nil where nothing checks it.
    package var health: ContainerHealth.Status?
    /// Whether something does.
    var isChecked = false
    package var mounts: [MountSummary] = []
    /// What the image and the flags name.
    package var exposedPorts: [ContainerPort] = []
    /// What of the host leads to one that runs.
    package var published: [PublishedPort] = []
    /// Which of its ports were asked to be published; with `publishesAll` all that are exposed.
    package var bindings: [ContainerPort] = []
    package var publishesAll = false
    package var network = "none"
    /// The networks that were made, in order.
    package var networks: [NetworkReference] = []
    /// Set when the user named the network: one that has no ports to be reached by.
    package var isNetworkAsked = false
    package var restart = RestartPolicy()
    /// Bytes; nil where nobody asked.
    package var size: ContainerSize?

    package init(id: String, name: String, created: String, image: Digest) {
        self.id = id
        self.name = name
        self.created = created
        self.image = image
    }
}

extension ContainerSummary {
    /// The exposed ports that can be reached, as lists show them.
    package var openPorts: [ContainerPort] {
        let isCutOff = isNetworkAsked && NetworkMode(rawValue: network)?.hasPorts == false
        return condition.isRunning && !isCutOff ? exposedPorts : []
    }
}

extension ContainerSummary {
    /// As lists show it: the networks' names, or the mode.
    package var networkNames: [String] { networks.isEmpty ? [network] : networks.map(\.name) }

    /// Fills in the names by which the networks go now.
    mutating func nameNetworks(_ names: [String: String]) {
        for index in networks.indices {
            let id = networks[index].id
            // One that is gone goes by what was typed for it.
            networks[index].name = names[id] ?? (index == 0 ? network : String(id.prefix(12)))
        }
    }
}

/// A network that a container's record names.
package struct NetworkReference: Sendable, Hashable {
    package var id: String
    package var name: String

    package init(id: String, name: String) {
        self.id = id
        self.name = name
    }
}

/// A volume or path in a container.
package struct MountSummary: Sendable, Hashable {
    /// nil for a path.
    package var volume: String?
    package var source: String
    package var target: String

    package init(volume: String?, source: String, target: String) {
        self.volume = volume
        self.source = source
        self.target = target
    }
}

/// What a container takes of the disk.
package struct ContainerSize: Sendable, Hashable {
    /// Of its own layer.
    package var own: Int64
    /// Of its image and its own layer together.
    package var whole: Int64

    package init(own: Int64, whole: Int64) {
        self.own = own
        self.whole = whole
    }
}

/// Moments in records.
package enum RecordTime {
    /// Seconds since 1970; nil for what is no RFC 3339.
    package static func seconds(_ text: String?) -> Int64? {
        text.flatMap { LogTime(rfc3339: $0.utf8)?.seconds }
    }
}

extension ContainerSummary {
    private static let selection = JSONSelection.members([
        "version": .all, "id": .all, "name": .all, "created": .all, "image": .all, "imageName": .all, "path": .all,
        "args": .all, "labels": .all, "mounts": .all, "state": .all,
        "execution": .members(["ExposedPorts": .all, "Healthcheck": .members(["Test": .all])]),
        "request": .members([
            "isolation": .members(["network": .all, "networkAsked": .all]),
            "networking": .members(["published": .all, "publishesAll": .all, "exposed": .all, "endpoints": .all]),
            "lifecycle": .members(["health": .members(["Test": .all]), "restart": .all]),
        ]),
    ])

    /// Reads a record as far as a list needs it. nil: it is none, or of a later version.
    init?(record bytes: [UInt8]) {
        guard let json = try? JSONValue(parsing: bytes, only: ContainerSummary.selection),
            let version = json["version"]?.integer, version <= Int64(ContainerRecord.currentVersion),
            let id = json["id"]?.string, let name = json["name"]?.string, let created = json["created"]?.string,
            let image = json["image"]?.string.flatMap({ try? Digest(parsing: $0) }),
            let state = json["state"].flatMap(ContainerRecord.State.init(glance:))
        else { return nil }
        self.init(id: id, name: name, created: created, image: image)
        imageName = json["imageName"]?.string ?? ""
        arguments = (json["path"]?.string.map { [$0] } ?? []) + (json["args"]?.strings ?? [])
        labels = json["labels"]?.stringMap ?? [:]
        self.state = state
        mounts = (json["mounts"]?.array ?? []).compactMap(MountSummary.init)
        let asked = json["request"]?["lifecycle"]?["health"]?["Test"]?.strings ?? []
        let test = asked.isEmpty ? json["execution"]?["Healthcheck"]?["Test"]?.strings ?? [] : asked
        isChecked = HealthCheck.isOne(test)
        health = isChecked ? self.state.health?.status : nil
        let isolation = json["request"]?["isolation"]
        network = isolation?["network"]?.string ?? network
        networks = (json["request"]?["networking"]?["endpoints"]?.array ?? []).compactMap { endpoint in
            endpoint["network"]?.string.map { NetworkReference(id: $0, name: $0) }
        }
        isNetworkAsked = isolation?["networkAsked"]?.bool ?? false
        let named = (json["execution"]?["ExposedPorts"]?.object ?? [:]).keys.flatMap(ContainerPort.list)
        let networking = json["request"]?["networking"]
        bindings = (networking?["published"]?.array ?? []).compactMap {
            $0["port"].flatMap(ContainerPort.init(glance:))
        }
        let exposed = (networking?["exposed"]?.array ?? []).compactMap(ContainerPort.init(glance:))
        exposedPorts = Set(named + exposed + bindings).sorted()
        publishesAll = networking?["publishesAll"]?.bool == true
        let restart = json["request"]?["lifecycle"]?["restart"]
        if let kind = restart?["kind"]?.string.flatMap(RestartPolicy.Kind.init) {
            self.restart = RestartPolicy(kind: kind, maximum: Int(clamping: restart?["maximum"]?.integer ?? 0))
        }
    }
}

extension ContainerRecord.State {
    fileprivate init?(glance json: JSONValue) {
        self.init()
        guard let status = json["status"]?.string.flatMap(Status.init) else { return nil }
        self.status = status
        exitCode = json["exitCode"]?.integer.map { Int32(clamping: $0) }
        oomKilled = json["oomKilled"]?.bool ?? false
        startedAt = json["startedAt"]?.string
        finishedAt = json["finishedAt"]?.string
        error = json["error"]?.string
        restartCount = json["restartCount"]?.integer.map { Int(clamping: $0) } ?? 0
        isStopped = json["isStopped"]?.bool ?? false
        health = json["health"].flatMap(ContainerHealth.init(glance:))
    }
}

extension ContainerPort {
    /// As it is written in a record.
    fileprivate init?(glance json: JSONValue) {
        guard let number = json["number"]?.integer.flatMap({ UInt16(exactly: $0) }),
            let transport = json["transport"]?.string.flatMap(PortProtocol.init)
        else { return nil }
        self.init(number, transport)
    }
}

extension MountSummary {
    /// As `MountRequest` is written; nil for memory, which lists don't show.
    fileprivate init?(_ json: JSONValue) {
        guard let kind = json["kind"], let target = json["target"]?.string else { return nil }
        if let name = kind["volume"]?["name"]?.string {
            self.init(volume: name, source: name, target: target)
        } else if let source = kind["bind"]?["source"]?.string {
            self.init(volume: nil, source: source, target: target)
        } else {
            return nil
        }
    }
}
