internal import Glibc
internal import Sys

/// What is to be connected, and for how long.
package struct NetworkTarget: Sendable {
    package var namespace: NetworkNamespace
    /// Of the container's first process; borrowed.
    package var pidfd: Int32
    /// A file that is made: pasta ends when somebody removes it.
    package var mark: String

    package init(namespace: NetworkNamespace, pidfd: Int32, mark: String) {
        self.namespace = namespace
        self.pidfd = pidfd
        self.mark = mark
    }
}

extension UserNetwork {
    /// Bytes of a program's complaint.
    private static let longestWords = 4096

    /// Connects the namespace, and returns when packets flow. Nobody waits for the program: slirp4netns ends with the
    /// container's process, pasta when the mark is removed, whoever was killed meanwhile.
    package func start(_ target: NetworkTarget) throws(NetworkError) {
        if let obstacle { throw .unusable(self, obstacle) }
        guard let program else { throw .unusable(self, "it is not installed") }
        let complaint: String?
        do throws(Errno) {
            switch self {
            case .pasta: complaint = try UserNetwork.startPasta(program, target)
            case .slirp4netns: complaint = try UserNetwork.startSlirp(program, target)
            }
        } catch {
            throw .system(SystemFailure("start", program, error))
        }
        if let complaint { throw .failed(self, complaint) }
    }

    /// It says when it is ready, and lives on as our child, in a session of its own: a terminal's Ctrl-C is not for it.
    private static func startSlirp(_ program: String, _ target: NetworkTarget) throws(Errno) -> String? {
        let ready = try Pipe()
        let words = try MemoryFile("slirp4netns", size: longestWords)
        let null = try File.open("/dev/null", O_RDWR)
        let pid = try Spawn.start(
            [
                program, "--configure", "--mtu=65520", "--disable-host-loopback", "--enable-sandbox",
                "--enable-seccomp", "--exit-fd=3", "--ready-fd=4", "--netns-type=path", "/proc/self/fd/5", "tap0",
            ],
            environment: [], input: null.raw, output: null.raw, error: words.fd.raw,
            further: [target.pidfd, ready.writer.raw, target.namespace.fd.raw], session: true)
        _ = consume null
        let reader = ready.keepReader()
        // End of file: it has given up.
        if try !File.readAll(reader.raw, limit: 16).isEmpty { return nil }
        _ = try Spawn.wait(pid)
        return complaint(words.text)
    }

    /// It goes into the background when it is ready, without any descriptor, and watches the name of the namespace: that
    /// is the mark, to which the namespace is bound where nobody else sees it.
    private static func startPasta(_ program: String, _ target: NetworkTarget) throws(Errno) -> String? {
        _ = try File.open(target.mark, O_WRONLY | O_CREAT | O_NOFOLLOW, mode: 0o600)
        let words = try MemoryFile("pasta", size: longestWords)
        let null = try File.open("/dev/null", O_RDWR)
        let arguments = [
            program, "--config-net", "--quiet", "--no-map-gw", "--dns-forward", UserNetwork.pasta.resolver,
            "--tcp-ports", "none", "--udp-ports", "none", "--tcp-ns", "none", "--udp-ns", "none",
            "--netns", target.mark,
        ]
        let (input, error) = (null.raw, words.fd.raw)
        let isReady = try PrivateMounts.with { () throws(Errno) in
            let mark = try File.open(target.mark, O_PATH | O_NOFOLLOW)
            try PrivateMounts.bind(target.namespace.fd.raw, onto: mark.raw)
            let pid = try Spawn.start(
                arguments, environment: [], input: input, output: input, error: error, session: true)
            _ = consume mark
            return try Spawn.wait(pid) == .code(0)
        }
        _ = consume null
        return isReady ? nil : complaint(words.text)
    }

    /// In one line, without what pasta says of a missing log daemon.
    private static func complaint(_ words: String) -> String {
        words.split(separator: "\n").filter { !$0.hasPrefix("Failed to send ") }.joined(separator: "; ")
    }
}
