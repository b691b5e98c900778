internal import Glibc
internal import Network
internal import OCI
internal import Sys

/// What is up of our networks in one network namespace of the host, and the right to change it: one at a time has the lock
/// of its directory, `RUN/networks/NAMESPACE`. All data roots and run directories share it, since they share bridges and
/// firewall. It is gone with the machine, and whatever is missing in it is made again.
///
///     lock                   who changes anything here
///     generation             the firewall's ruleset as we left it (nfnetlink)
///     switched, switched6    interfaces whose forwarding was switched on for us
///     ID/network.json        a network that is up: `ActiveNetwork`
///     ID/addresses/ADDRESS   who has it: `AddressLeases`
///     ID/names/CONTAINER     under which names the others know it
struct HostNetworks: ~Copyable {
    static let defaultBase = LiveContainers.defaultDirectory + "/networks"

    /// Of the namespace, no other one's.
    let identity: String
    let path: String
    private let lock: DirectoryLock

    /// Of the caller's namespace; waits for who has them.
    init(base: String = HostNetworks.defaultBase) throws(EngineError) {
        let current = try system { () throws(SystemFailure) in try NamespaceIdentity.current() }
        try self.init(base: base, identity: current, making: true)
    }

    /// Of a namespace that the caller need not be in; throws `noEntry` where nothing of it is left.
    init(base: String = HostNetworks.defaultBase, identity: String, making: Bool = false) throws(EngineError) {
        let path = "\(base)/\(identity)"
        self.identity = identity
        self.path = path
        do throws(Errno) {
            while true {
                do throws(Errno) {
                    lock = try DirectoryLock(path, mode: .exclusive)
                    return
                } catch .noEntry where making {
                    try makePath(path)
                }
            }
        } catch {
            throw .system(SystemFailure("lock", path, error))
        }
    }

    /// False in another namespace than the one it is about: nothing of the kernel's can be changed from here.
    func isHere() -> Bool { (try? NamespaceIdentity.current()) == identity }

    func directory(_ id: String) -> String { "\(path)/\(id)" }
    func leases(_ id: String) -> AddressLeases { AddressLeases(directory: "\(path)/\(id)/addresses") }
    func names(_ id: String) -> String { "\(path)/\(id)/names" }

    func active(_ id: String) -> ActiveNetwork? {
        guard let bytes = try? File.readAll("\(path)/\(id)/network.json", limit: 1 << 16) else { return nil }
        return ActiveNetwork.decode(bytes)
    }

    /// All that are up, in the order of their IDs.
    func allActive() -> [ActiveNetwork] {
        ((try? Directory.entries(path)) ?? []).map(\.name).filter(ResourceName.isContainerID).sorted()
            .compactMap { active($0) }
    }

    func save(_ network: ActiveNetwork) throws(EngineError) {
        let directory = directory(network.id)
        let bytes = network.encoded
        try system { () throws(SystemFailure) in
            for name in ["addresses", "names"] { try Directory.makePath("\(directory)/\(name)", mode: 0o700) }
        }
        try write(bytes, to: "\(network.id)/network.json")
    }

    /// Writes down under which names the others of a network know a container.
    func saveNames(_ text: String, of container: String, on network: String) throws(EngineError) {
        try write(Array(text.utf8), to: "\(network)/names/\(container)")
    }

    /// What is said to be up for the first time may have been up before, and somebody has emptied our directory: whoever
    /// runs with an address has it still.
    func restoreLeases(_ id: String) throws(EngineError) {
        let run = LiveContainers.defaultDirectory
        for name in ((try? Directory.entries(run)) ?? []).map(\.name) where ResourceName.isContainerID(name) {
            let holder = "\(run)/\(name)"
            guard let state = LiveContainers.state(at: holder), state.networkNamespace == identity else { continue }
            for endpoint in state.endpoints ?? [] where endpoint.network == id {
                try network { () throws(NetworkError) in
                    for prefix in endpoint.addresses { try leases(id).restore(prefix.address, of: holder) }
                }
            }
        }
    }

    /// Says no more that it is up. Its leases stay: their holders may run.
    func forget(_ id: String) throws(EngineError) {
        let path = "\(directory(id))/network.json"
        try call("remove", path) { () throws(Errno) in
            do throws(Errno) { try File.unlink(path) } catch { if error != .noEntry { throw error } }
        }
    }

    /// The run directories of all who have an address here.
    func holders() -> [String] {
        Set(allActive().flatMap { leases($0.id).holders() }).sorted()
    }

    /// The ruleset as we left it; nil: it has to be looked at.
    func generation() -> UInt32? {
        guard let bytes = try? File.readAll("\(path)/generation", limit: 16) else { return nil }
        return UInt32(String(decoding: bytes, as: UTF8.self))
    }

    func setGeneration(_ generation: UInt32?) throws(EngineError) {
        try write(Array((generation.map { "\($0)" } ?? "").utf8), to: "generation")
    }

    /// The interfaces whose forwarding was off before us.
    func switched(version6: Bool = false) -> [String] {
        let bytes = (try? File.readAll("\(path)/switched\(version6 ? "6" : "")", limit: 1 << 16)) ?? []
        return String(decoding: bytes, as: UTF8.self).split(separator: "\n").map(String.init)
    }

    func noteSwitched(_ names: [String], _ names6: [String]) throws(EngineError) {
        for (file, known, further) in [
            ("switched", switched(), names), ("switched6", switched(version6: true), names6),
        ] {
            let new = further.filter { !known.contains($0) }
            if !new.isEmpty { try write(Array((known + new).joined(separator: "\n").utf8), to: file) }
        }
    }

    /// In place, since all who read have the lock too: torn by a kill, it is as if it were not there.
    private func write(_ bytes: [UInt8], to name: String) throws(EngineError) {
        try call("write", "\(path)/\(name)") { () throws(Errno) in
            let file = try File.open(name, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW, mode: 0o600, at: lock.raw)
            try File.write(file.raw, bytes)
        }
    }

    /// Removes what is left of namespaces that are gone, and in which nobody has an address.
    static func removeDead(base: String = HostNetworks.defaultBase) {
        let identities = ((try? Directory.entries(base)) ?? []).map(\.name)
        for identity in NamespaceIdentity.dead(among: identities) {
            let path = "\(base)/\(identity)"
            guard let lock = try? DirectoryLock.attempt(path, mode: .exclusive) else { continue }
            let networks = ((try? Directory.entries(path)) ?? []).map(\.name).filter(ResourceName.isContainerID)
            let isHeld = networks.contains { !AddressLeases(directory: "\(path)/\($0)/addresses").holders().isEmpty }
            if !isHeld { try? Directory.removeTree(path) }
            _ = consume lock
        }
    }
}

private func makePath(_ path: String) throws(Errno) {
    do throws(SystemFailure) { try Directory.makePath(path, mode: 0o700) } catch { throw error.errno }
}
