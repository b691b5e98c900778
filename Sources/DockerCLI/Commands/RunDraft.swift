package import Engine
internal import OCI

/// A `RunRequest` while its flags are being read: what can only be judged when all are there waits here.
package struct RunDraft: Sendable {
    package var request = RunRequest(image: "")
    var registry = RegistryFlags()
    var networks: [NetworkChoice] = []
    var volumes: [String] = []
    /// Whether what stands in the image's place is a directory.
    var runsDirectory = false
    var health = ImageConfig.Healthcheck()
    var noHealthcheck = false
    /// Of `--ip` and the like, for the first network.
    var endpoint = EndpointOptions(network: "")
    /// Of the flags about names and ports.
    var networking = NetworkOptions()
    /// Flags about a network of the container's own that can't be honoured yet.
    var plannedNetworking: [String] = []

    package init() {}

    /// The request, and warnings to be said.
    package mutating func finish(image: String, command: [String]) throws(ValueError) -> (RunRequest, [String]) {
        var warnings: [String] = []
        request.image = image
        if runsDirectory { request.rootDirectory = RootDirectory(parsing: image) }
        request.command = command
        let rules = try registry.finish()
        request.registryRules = rules == RegistryRules() ? nil : rules
        request.registryAccess = registry.access == RegistryAccess() ? nil : registry.access
        let network = try NetworkChoice.resolve(networks)
        request.isolation.network = network.mode
        request.isolation.networkAsked = network.asked
        try addNetworking(network)
        try checkConflicts()
        if let flag = plannedNetworking.first { throw .planned("flag --\(flag)") }
        if publishes, network.mode == .host {
            warnings.append("Published ports are discarded when using host network mode")
        }
        if request.remove, request.lifecycle.restart.kind != .no {
            throw .plain("conflicting options: cannot specify both --restart and --rm")
        }
        if request.detach, request.attach != nil {
            throw .plain("conflicting options: cannot specify both --attach and --detach")
        }
        request.lifecycle.health = try HealthFlags.resolve(health, disabled: noHealthcheck)
        try addVolumes()
        try checkResources()
        return (request, warnings)
    }

    private var publishes: Bool { !networking.published.isEmpty || networking.publishesAll }

    /// What would be set for a namespace that is another's; in docker's words and order.
    private func checkConflicts() throws(ValueError) {
        let hasHostname = request.process.hostname != nil
        let networking = request.networking ?? NetworkOptions()
        if case .container = request.isolation.network {
            if hasHostname { throw .plain("conflicting options: hostname and the network mode") }
            if plannedNetworking.contains("link") {
                throw .plain(
                    "conflicting options: container type network can't be used with links. This would result in "
                        + "undefined behavior")
            }
            if networking.dns != DNSOptions() { throw .plain("conflicting options: dns and the network mode") }
            if !networking.extraHosts.isEmpty {
                throw .plain("conflicting options: custom host-to-IP mapping and the network mode")
            }
            if publishes {
                throw .plain("conflicting options: port publishing and the container type network mode")
            }
            if !networking.exposed.isEmpty {
                throw .plain("conflicting options: port exposing and the container type network mode")
            }
        }
        if case .path = request.isolation.network {
            if publishes { throw .plain("conflicting options: port publishing and the ns network mode") }
            if !networking.exposed.isEmpty {
                throw .plain("conflicting options: port exposing and the ns network mode")
            }
        }
        if networking.mac != nil, !request.isolation.network.hasOwnInterfaces {
            throw .plain("conflicting options: mac-address and the network mode")
        }
        if hasHostname, request.isolation.uts != .own {
            throw .plain("conflicting options: hostname and the UTS mode")
        }
    }

    /// Volumes given twice in the same words are one, and an anonymous volume gives way to whatever else is mounted in
    /// its place, as in docker.
    private mutating func addVolumes() throws(ValueError) {
        var seen: Set<String> = []
        for text in volumes where seen.insert(text).inserted { request.mounts.append(try Volumes.parse(text)) }
        var targets: Set<String> = []
        for mount in request.mounts where mount.kind != .anonymousVolume {
            guard targets.insert(mount.target).inserted else { throw .plain("Duplicate mount point: \(mount.target)") }
        }
        request.mounts.removeAll { $0.kind == .anonymousVolume && !targets.insert($0.target).inserted }
    }

    /// docker's least amount of memory for a container.
    private static let minimumMemory: Int64 = 6 << 20

    private func checkResources() throws(ValueError) {
        let resources = request.resources
        if let memory = resources.memory, memory < Self.minimumMemory {
            throw .plain("Minimum memory limit allowed is 6MB")
        }
        if let swap = resources.memorySwap {
            guard let memory = resources.memory else {
                if swap == -1 { return }
                throw .plain("You should always set the Memory limit when using Memoryswap limit, see usage")
            }
            if swap != -1, swap < memory {
                throw .plain("Minimum memoryswap limit should be larger than memory limit, see usage")
            }
        }
        if let reservation = resources.memoryReservation {
            if reservation < Self.minimumMemory { throw .plain("Minimum memory reservation allowed is 6MB") }
            if let memory = resources.memory, memory < reservation {
                throw .plain("Minimum memory limit can not be less than memory reservation limit, see usage")
            }
        }
    }
}
