internal import CUserNamespace
internal import Glibc
internal import OCI
internal import Sys

/// Moves the process into a new user namespace, or says why the machine does not let it and what would.
enum NamespaceMaker {
    /// `noUserNamespace` comes before anything of the process is changed: another one has tried first.
    static func make(user: UInt32) throws(EngineError) {
        var failure = cuserns_failure()
        if cuserns_try(&failure) != 0 {
            if failure.stage == Int32(CUSERNS_FORK.rawValue) { throw error(failure) }
            let errno = Errno(rawValue: failure.error)
            throw .noUserNamespace(errno, remedies: NamespaceRemedy.all(errno, user: user))
        }
        let result: Int32
        if let ids = SubordinateIDs.of(user: user), let users = SubordinateIDs.tool("newuidmap"),
            let groups = SubordinateIDs.tool("newgidmap")
        {
            let own = getpid()
            result = withArguments(SubordinateIDs.arguments(users, process: own, own: user, ids.users)) { users in
                withArguments(SubordinateIDs.arguments(groups, process: own, own: getegid(), ids.groups)) { groups in
                    cuserns_create(users, groups, &failure)
                }
            }
        } else {
            result = cuserns_create(nil, nil, &failure)
        }
        if result != 0 { throw error(failure) }
    }

    private static func withArguments<T>(
        _ arguments: [String], _ body: (UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>?) -> T
    ) -> T {
        var pointers = arguments.map { strdup($0) } + [nil]
        defer { for pointer in pointers { free(pointer) } }
        return pointers.withUnsafeMutableBufferPointer { body($0.baseAddress) }
    }

    private static func error(_ failure: cuserns_failure) -> EngineError {
        let errno = Errno(rawValue: failure.error)
        switch failure.stage {
        case Int32(CUSERNS_FORK.rawValue):
            return .system(SystemFailure("fork", "a helper for your user namespace", errno))
        case Int32(CUSERNS_UNSHARE.rawValue), Int32(CUSERNS_MOUNTS.rawValue):
            return .system(SystemFailure("make", "your user namespace", errno))
        default:
            let isUsers = failure.stage == Int32(CUSERNS_USERS.rawValue)
            let (tool, file) = isUsers ? ("newuidmap", "/etc/subuid") : ("newgidmap", "/etc/subgid")
            if failure.error != 0 { return .system(SystemFailure("map", "the IDs of your user namespace", errno)) }
            let text = withUnsafeBytes(of: failure.text) { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) }
            return .invalid(
                "\(tool) gave your user namespace no IDs: \(ForeignText(text)); it must be set-user-ID root "
                    + "(Debian's package uidmap), and your line in \(file) must hold what it names")
        }
    }
}

/// What stands in the way of user namespaces on this machine, and who can take it away.
enum NamespaceRemedy {
    static func all(_ errno: Errno, user: UInt32) -> [String] {
        [
            user == 0
                ? "give this root CAP_SYS_ADMIN (for docker and podman: --privileged)" : "run as root: sudo runimg …"
        ] + permissions(errno)
            + ["install proot (Debian's package proot), under which containers run closed off from nothing"]
    }

    private static func permissions(_ errno: Errno) -> [String] {
        let switches = [
            ("user.max_user_namespaces", "0", "15000"), ("kernel.unprivileged_userns_clone", "0", "1"),
            ("kernel.apparmor_restrict_unprivileged_userns", "1", "0"),
        ]
        let thrown = switches.filter { value($0.0) == $0.1 }.map { name, _, good in
            "allow user namespaces: sudo sysctl -w \(name)=\(good)"
        }
        if !thrown.isEmpty { return thrown }
        return [
            errno == .noSpace
                ? "raise the limit of user namespaces: sudo sysctl -w user.max_user_namespaces=15000"
                : errno == .invalid || errno == .noSystemCall
                    ? "use a kernel with CONFIG_USER_NS"
                    : "let the container or sandbox around this shell make user namespaces (its seccomp filter forbids "
                        + "them, or a chroot does)"
        ]
    }

    private static func value(_ name: String) -> String? {
        let path = "/proc/sys/" + name.split(separator: ".").joined(separator: "/")
        guard let bytes = try? File.readAll(path, limit: 32) else { return nil }
        return String(decoding: bytes.prefix { $0 != UInt8(ascii: "\n") }, as: UTF8.self)
    }
}
