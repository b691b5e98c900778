internal import Glibc
internal import OCI
internal import Sys

extension Engine {
    /// Makes an OCI bundle (bundle.md of the OCI runtime spec) of an image: `rootfs`, its merged tree, and a
    /// `config.json` that says what `run` would do with it. The directory is absent or empty before.
    package func bundle(
        _ request: RunRequest, into path: String, observer: (EngineEvent) -> Void
    ) throws(EngineError) {
        try checkName(request.image)
        let request = meant(request)
        let directory = try Engine.absolute(path)
        try filled(directory) { fd throws(EngineError) in
            let (image, lease) = try obtain(request, observer: observer)
            var record = try newRecord(request, image)
            // What volumes are for, keeping what the image has there, the tree does by itself.
            record.mounts = []
            if request.process.hostname == nil { record.hostname = Engine.bundleHostname }
            let spec = Engine.standalone(try draft(record, image).spec)
            let root = try call("make", "\(path)/\(spec.root.path)") { () throws(Errno) in
                try File.setMode(fd, 0o755)
                try Directory.make(spec.root.path, mode: 0o700, at: fd)
                return try Directory.open(spec.root.path, at: fd)
            }
            try unpack(image, into: root.raw)
            let bytes = spec.json
            try call("write", "\(path)/config.json") { () throws(Errno) in
                let file = try File.open("config.json", O_WRONLY | O_CREAT | O_EXCL, mode: 0o644, at: fd)
                try File.write(file.raw, bytes)
                try file.close()
            }
            _ = consume root
            _ = consume lease
        }
    }

    private static let bundleHostname = "runimg"

    /// The spec without what only an engine has: files that it makes for each container, and a cgroup of its naming.
    private static func standalone(_ made: Spec) -> Spec {
        var spec = made
        spec.ociVersion = portableVersion(made)
        let generated: Set<String> = ["/etc/resolv.conf", "/etc/hostname", "/etc/hosts"]
        spec.mounts.removeAll { generated.contains($0.destination) }
        spec.linux.cgroupsPath = nil
        return spec
    }

    /// Nothing later is used, and older runtimes refuse a later number.
    static func portableVersion(_ spec: Spec) -> String { spec.domainname == nil ? "1.0.2" : "1.1.0" }
}
