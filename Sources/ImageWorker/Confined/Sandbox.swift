internal import CLinux
internal import Images
internal import Sys

/// What the process that reads strangers' bytes may still do. Each of the layers holds alone what it can; where the
/// kernel or the caller's rights lack one, the others stay.
struct Sandbox {
    let layout: StoreLayout
    /// The pull's own area; nil: nothing may be written.
    let area: String?
    /// The layout or archive that is read.
    let source: String?
    /// TCP ports that may be connected to where the keeper cannot do it.
    let ports: [UInt16]
    /// The caller's environment, which may say where certificates are.
    let environment: [String: String]

    /// Name resolution, certificates, and the libraries that do both. Of `/etc` nothing else.
    private static let system = [
        "/lib", "/lib32", "/lib64", "/libx32", "/usr/lib", "/usr/lib32", "/usr/lib64", "/usr/local/lib",
        "/etc/ld.so.cache", "/etc/ld.so.conf", "/etc/ld.so.conf.d",
        "/etc/ssl", "/etc/pki", "/etc/ca-certificates", "/etc/crypto-policies", "/usr/share/ca-certificates",
        "/usr/share/pki", "/usr/local/share/ca-certificates", "/etc/docker/certs.d",
        "/etc/resolv.conf", "/run/systemd/resolve", "/run/resolvconf", "/etc/hosts", "/etc/nsswitch.conf",
        "/etc/host.conf", "/etc/gai.conf", "/etc/services", "/etc/protocols", "/etc/networks",
        "/etc/localtime", "/usr/share/zoneinfo",
    ]

    /// The first step, of one thread: a view of the machine in which only staging can be written to. Descriptors that
    /// were opened before see around it.
    func enterView() throws(SystemFailure) {
        try ReadOnlyView.enter(writable: area.map { [$0, layout.blobs] } ?? [])
    }

    /// The last steps, before the first foreign byte. Says what the kernel lacks.
    func enforce(_ client: StoreClient, _ sink: EventSink) throws(WorkerError) {
        let listener = try ImageWorker.system("set", "the filter of system calls") { () throws(Errno) in
            try Confinement.limitCalls()
        }
        if let listener {
            // The keeper's copy is the only one: who has it could answer himself.
            try client.supervise(listener.raw)
        } else {
            sink.send(.debug("addresses are not confined: connect(2) cannot be supervised here"))
        }
        restrictFiles(isSupervised: listener != nil, sink)
        try ImageWorker.system("give up", "capabilities") { () throws(Errno) in try Confinement.keep(.extracting) }
    }

    /// Where the keeper makes the connections, this process makes none.
    private func restrictFiles(isSupervised: Bool, _ sink: EventSink) {
        func debug(_ text: String) { sink.send(.debug(text)) }
        let abi = Landlock.abi
        guard let policy = LandlockPolicy(abi: abi) else {
            return debug("files are not confined: this kernel has no Landlock, or an old one (ABI \(abi))")
        }
        do throws(Errno) {
            try Landlock.enforce(policy, paths: paths, ports: isSupervised ? [] : ports)
            if policy.lacking.isEmpty { return }
            debug("this kernel's Landlock (ABI \(abi)) does not confine \(policy.lacking.joined(separator: ", "))")
        } catch {
            debug("files are not confined by Landlock: \(error)")
        }
    }

    var paths: [(path: String, grant: LandlockPolicy.Grant)] {
        var readable = Sandbox.system
        // Layers below; those that are being committed are in neither place for a moment, but in staging.
        if area != nil { readable += [layout.layers, layout.staging] }
        if let source { readable.append(source) }
        readable += ["SSL_CERT_FILE", "SSL_CERT_DIR", "CURL_CA_BUNDLE"].compactMap { environment[$0] }
        if let home = environment["HOME"], !home.isEmpty { readable.append("\(home)/.config/docker/certs.d") }
        return readable.map { ($0, .read) } + (area.map { [($0, .trees), (layout.blobs, .files)] } ?? [])
    }
}
