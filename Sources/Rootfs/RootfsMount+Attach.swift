internal import Glibc
package import Sys

extension RootfsMount {
    /// Carries the mount out for the engine's own use, as a container's process would for itself: attached nowhere. Only
    /// for use inside `PrivateMounts.with`, whose thread has a working directory of its own.
    package func detached() throws(Errno) -> OwnedFD {
        switch step {
        case .filesystem(let type, let options, let directory):
            if let directory { try PrivateMounts.changeDirectory(directory) }
            return try DetachedMount.filesystem(type, options.map { ($0.name, $0.value) }, readOnly: readOnly)
        case .optionString(let type, let options, let directory):
            try PrivateMounts.mount(type: type, at: mountPoint, options: options, from: directory, readOnly: readOnly)
            return try DetachedMount.copy(of: mountPoint)
        case .bind(let source): return try DetachedMount.copy(of: source, recursive: true)
        case .program(let arguments):
            try RootfsMount.run(arguments)
            let tree = try DetachedMount.copy(of: mountPoint)
            // The program lives in this namespace: what it serves would last as long as it does itself.
            try DetachedMount.unmount(mountPoint, lazily: true)
            return tree
        }
    }

    /// The same at its mount point; returns the root. Only for use inside `PrivateMounts.with`.
    package func attached() throws(Errno) -> OwnedFD {
        let mount = try detached()
        let point = try Directory.open(mountPoint)
        try DetachedMount.attach(mount.raw, to: point.raw)
        _ = consume point
        let root = try Directory.open(mountPoint)
        if readOnly { try PrivateMounts.makeReadOnly(root.raw) }
        return root
    }

    /// To be called inside `PrivateMounts.with` when all is mounted below what `attached` returned, and before that is
    /// used: it stays for as long as it is open, and no longer.
    package func letGo() throws(Errno) {
        if case .program = step { try DetachedMount.unmount(mountPoint, lazily: true) }
    }

    /// Has the program mount where its caller's whole mount namespace sees it; false where no program is asked for. It is
    /// no private namespace: that would hold, for as long as the program lives, a copy of every other mount of its kind.
    /// The program keeps `descriptors` open.
    package func serve(keeping descriptors: [Int32] = []) throws(Errno) -> Bool {
        guard case .program(let arguments) = step else { return false }
        try RootfsMount.run(arguments, keeping: descriptors)
        return true
    }

    /// Such a program returns when it has mounted, and goes on serving behind the caller's back.
    private static func run(_ arguments: [String], keeping descriptors: [Int32] = []) throws(Errno) {
        let null = try File.open("/dev/null", O_RDWR)
        let errors = try Pipe()
        let pid = try Spawn.start(
            arguments, environment: Environment.all, input: null.raw, output: null.raw, error: errors.writer.raw,
            further: descriptors)
        _ = consume null
        let reader = errors.keepReader()
        if case .code(0) = try Spawn.wait(pid) { return }
        // Only the program knows more than that it failed.
        if let text = try? File.readAll(reader.raw, limit: 1 << 16) { try? File.write(STDERR_FILENO, text) }
        throw .inputOutput
    }
}
