internal import Glibc
internal import OCI
internal import Sys

/// An OCI bundle (bundle.md): a directory with a configuration and, usually, a root file system.
struct Bundle {
    /// Absolute.
    let path: String
    let text: [UInt8]
    let spec: Spec
    /// The root's directory, absolute and without links.
    let rootfs: String

    init(_ options: CreateOptions) throws(ContainerError) {
        path = try Bundle.resolved(options.bundle, "bundle")
        let file = options.configuration ?? "\(path)/config.json"
        text = try call("read", file) { () throws(Errno) in try File.readAll(file, limit: Spec.maximumSize) }
        var spec = try ContainerRuntime.specification(text)
        for index in spec.mounts.indices where spec.mounts[index].isRelativeBind {
            spec.mounts[index].source = "\(path)/\(spec.mounts[index].source ?? "")"
        }
        if options.activated > 0 {
            // sd_listen_fds(3), with the number that the process has inside.
            spec.process.env += ["LISTEN_FDS=\(options.activated)", "LISTEN_PID=1"]
        }
        self.spec = spec
        let root = spec.root.path
        rootfs = try Bundle.resolved(root.utf8.first == UInt8(ascii: "/") ? root : "\(path)/\(root)", "root.path")
        try checkTerminal(options)
    }

    /// What is a directory, as realpath(3) has it.
    private static func resolved(_ path: String, _ what: String) throws(ContainerError) -> String {
        guard let found = realpath(path, nil) else {
            throw .system(SystemFailure("open \(what)", path, Errno.current))
        }
        defer { free(found) }
        let text = String(cString: found)
        let status = try call("open \(what)", text) { () throws(Errno) in try File.status(text) }
        if !status.isDirectory { throw .system(SystemFailure("open \(what)", path, .notDirectory)) }
        return text
    }

    private func checkTerminal(_ options: CreateOptions) throws(ContainerError) {
        let socket = options.consoleSocket
        if spec.hasProcess, spec.process.terminal, socket == nil, !options.isAttached {
            throw .invalid("process.terminal is set: a container that is left alone needs --console-socket for it")
        }
        if !spec.process.terminal, let socket {
            throw .invalid("--console-socket \(socket) is given, and process.terminal is not set")
        }
    }
}

extension Spec.Mount {
    /// config.md#mounts: such a source is relative to the bundle.
    fileprivate var isRelativeBind: Bool {
        let isBind = type == "bind" || options.contains("bind") || options.contains("rbind")
        return isBind && source?.isEmpty == false && source?.utf8.first != UInt8(ascii: "/")
    }
}

extension Spec.Capabilities {
    /// Takes out what nobody here knows (config.md#linux-process), and returns it.
    mutating func removeUnknown() -> Set<String> {
        let known = Set(CapabilityNames.inOrder)
        var unknown: Set<String> = []
        for path in [\Spec.Capabilities.bounding, \.effective, \.permitted, \.inheritable, \.ambient] {
            unknown.formUnion(self[keyPath: path].filter { !known.contains($0) })
            self[keyPath: path].removeAll { !known.contains($0) }
        }
        return unknown
    }
}
