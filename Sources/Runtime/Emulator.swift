internal import CInit
internal import Glibc
package import Sys

/// proot(1): a program that traces a container's processes and translates their paths and IDs, for where no namespace can
/// be had. It closes nothing off.
package struct Emulator: Sendable, Hashable {
    package static let name = "proot"
    private static let places = ["/usr/bin", "/usr/local/bin", "/bin"]
    /// Where the container finds the stub: below what is the host's, so that the program makes no file for it in the root.
    private static let stubPlace = "/dev/.runimg-init"

    /// What a guarding stub takes for SIGKILL (`CINIT_END_SIGNAL`).
    private static let endSignal = Int32(CINIT_END_SIGNAL)

    /// The program.
    package let path: String
    /// The directory that is the container's root.
    package var root: String
    /// The stub as a file: the program opens what it runs by a path of the host.
    package var stub: String
    /// What of the host is shown where.
    package var binds: [Bind] = []

    package struct Bind: Sendable, Hashable {
        package let source: String
        package let target: String

        package init(_ source: String, _ target: String) {
            self.source = source
            self.target = target
        }
    }

    /// nil where the program is not installed.
    package init?(root: String, stub: String) {
        guard let path = Emulator.installed else { return nil }
        self.path = path
        self.root = root
        self.stub = stub
    }

    package static var installed: String? {
        places.lazy.map { "\($0)/\(name)" }.first { access($0, X_OK) == 0 }
    }

    /// Why it fails where it is installed, as far as that is known, for the end of a message.
    static var likelyCause: String {
        var status = statvfs()
        guard statvfs("/tmp", &status) == 0, status.f_flag & UInt(ST_NOEXEC) != 0 else { return "" }
        return ": it executes a program of its own from /tmp, which is mounted noexec (mount -o remount,exec /tmp)"
    }

    /// Writes the stub as a program.
    package func writeStub() throws(RuntimeError) {
        try InitStub.write(to: stub, mode: 0o700)
    }

    /// Its command line, for a command as the user `uid` of the group `gid`.
    func arguments(uid: UInt32, gid: UInt32, directory: String, stub arguments: [String]) -> [String] {
        var line = [path, "-r", root, "-i", "\(uid):\(gid)", "-w", directory, "-b", "\(stub):\(Emulator.stubPlace)"]
        for bind in binds { line += ["-b", "\(bind.source):\(bind.target)"] }
        return line + [Emulator.stubPlace] + arguments
    }

    /// A variable of the container's environment, so that it means nothing to the program: libraries of the container's are
    /// none of the host's. The stub below shows it again.
    static func hide(_ entry: String) -> String {
        guard entry.hasPrefix("LD_") || entry.hasPrefix("PROOT_") else { return entry }
        return "\(UnicodeScalar(UInt8(CINIT_HIDDEN_VARIABLE)))\(entry)"
    }

    /// Passes a signal on to the container's command: the program ignores all, and SIGKILL would leave what it traces
    /// behind. `pidfd` is the program's. ESRCH where it is gone.
    package static func send(_ signal: Int32, to pidfd: Int32) throws(Errno) {
        try Pidfd.send(0, to: pidfd)
        let tracer = try Pidfd.number(of: pidfd)
        guard let first = ProcessStatus.children(tracer).first, let guardian = try? Pidfd.open(first),
            ProcessStatus.parent(first) == tracer
        else { return try Pidfd.send(signal, to: pidfd) }
        try Pidfd.send(signal == SIGKILL ? endSignal : signal, to: guardian.raw)
    }
}
