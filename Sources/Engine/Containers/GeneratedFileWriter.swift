internal import Glibc
internal import Network
internal import Sys

/// Writes `/etc/hosts`, `/etc/hostname` and `/etc/resolv.conf` of a container into its directory on the host.
enum GeneratedFileWriter {
    private static let hosts = """
        127.0.0.1\tlocalhost
        ::1\tlocalhost ip6-localhost ip6-loopback
        fe00::0\tip6-localnet
        ff00::0\tip6-mcastprefix
        ff02::1\tip6-allnodes
        ff02::2\tip6-allrouters

        """

    static func paths(in directory: String) -> GeneratedFiles {
        GeneratedFiles(
            hosts: directory + "/hosts", hostname: directory + "/hostname", resolvConf: directory + "/resolv.conf")
    }

    /// With the host's own hosts file in the host's network, as docker does.
    static func write(_ files: GeneratedFiles, _ record: ContainerRecord) throws(EngineError) {
        let hostname = record.hostname
        var hosts = Array(hosts.utf8)
        var resolver = (try? File.readAll("/etc/resolv.conf", limit: 1 << 20)) ?? []
        switch record.request.isolation.network {
        case .host: hosts = (try? File.readAll("/etc/hosts", limit: 1 << 20)) ?? hosts
        case .user(let program):
            if let address = program.address { hosts += Array("\(address)\t\(hostname)\n".utf8) }
            resolver = Array(program.resolverFile(String(decoding: resolver, as: UTF8.self)).utf8)
        case .none, .bridge, .named, .container: break
        }
        try write(hosts, to: files.hosts)
        try write(Array("\(hostname)\n".utf8), to: files.hostname)
        try write(resolver, to: files.resolvConf)
    }

    private static func write(_ bytes: [UInt8], to path: String) throws(EngineError) {
        try call("write", path) { () throws(Errno) in
            let file = try File.open(path, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW, mode: 0o644)
            // Every user of the container reads these, whatever the caller's umask.
            try check { fchmod(file.raw, 0o644) }
            try File.write(file.raw, bytes)
        }
    }
}
