internal import Glibc
internal import Sys
internal import Testing

/// A user of the machine without any rights, made for the tests of one process and removed with it.
package struct OrdinaryUser: Sendable {
    package let name: String
    package let uid: UInt32
    /// Whether /etc/subuid and /etc/subgid give it a range.
    package let hasRange: Bool

    /// One with subordinate IDs, and one without.
    package static let ranged: OrdinaryUser? = make(hasRange: true)
    package static let plain: OrdinaryUser? = make(hasRange: false)

    private static let prefix = "runimg-t"

    /// Users can be made, and they reach the executables.
    package static let isPossible: Bool =
        Conditions.isRoot && Conditions.has("useradd", "userdel", "usermod", "setpriv", "newuidmap", "newgidmap")
        && File.exists("/proc/self/ns/user") && isReachable(Runimg.path)

    /// What the tests that need one are skipped for.
    package static let need = "needs root, useradd, setpriv, uidmap, user namespaces, and executables that all may read"

    private static func isReachable(_ path: String) -> Bool {
        var place = path
        while place != "/" {
            guard let status = try? File.status(place, follow: true), status.mode & 0o001 != 0 else { return false }
            place = Path.split(place).parent
        }
        return true
    }

    private static func make(hasRange: Bool) -> OrdinaryUser? {
        guard isPossible else { return nil }
        removeStale()
        let name = "\(prefix)\(getpid())\(hasRange ? "r" : "p")"
        // No home is made: each test has one of its own.
        let made = try? Tool.run("useradd", ["--no-create-home", "--system", "--shell", "/bin/sh", name])
        guard made?.status == 0, let uid = try? Tool.check("id", ["-u", name]).lines.first.flatMap({ UInt32($0) })
        else { return nil }
        leaving.append("userdel", [name])
        if hasRange {
            // Far from what useradd gives to others.
            let range = ["--add-subuids", "2000000-2065535", "--add-subgids", "2000000-2065535", name]
            guard (try? Tool.run("usermod", range).status) == 0 else { return nil }
        }
        return OrdinaryUser(name: name, uid: uid, hasRange: hasRange)
    }

    /// Those of test processes that were killed.
    private static func removeStale() {
        let users = (try? Tool.run("getent", ["passwd"]).lines) ?? []
        for user in users.compactMap({ $0.split(separator: ":").first.map(String.init) }) where user.hasPrefix(prefix) {
            let number = user.dropFirst(prefix.count).dropLast()
            guard let pid = Int32(number), !File.exists("/proc/\(pid)") else { continue }
            _ = try? Tool.run("userdel", [user])
        }
    }

    /// Gives it a device until the end, and tells whether that was possible.
    package func mayUse(_ device: String) -> Bool {
        guard Conditions.has("setfacl"), (try? Tool.run("setfacl", ["-m", "u:\(name):rw", device]).status) == 0
        else { return false }
        OrdinaryUser.leaving.append("setfacl", ["-x", "u:\(name)", device])
        return true
    }

    private static let leaving = Leaving()

    /// Takes back what was given, the last first, when the process ends.
    private final class Leaving: Sendable {
        private let commands = Monitor<[[String]]>([])

        init() {
            atexit {
                for command in OrdinaryUser.leaving.commands.read({ $0 }).reversed() {
                    _ = try? Tool.run(command[0], Array(command.dropFirst()))
                }
            }
        }

        func append(_ program: String, _ arguments: [String]) {
            let command = [program] + arguments
            commands.update { if !$0.contains(command) { $0.append(command) } }
        }
    }

    /// The command line that runs another as this user.
    package var command: [String] {
        [Tool.find("setpriv") ?? "setpriv", "--reuid", name, "--regid", name, "--init-groups", "--"]
    }

    /// Its processes, by number; those that have ended and wait for init left out.
    package var processes: [Int32] {
        let lines = (try? Tool.run("ps", ["-o", "pid=,stat=", "-u", name]).lines) ?? []
        return lines.compactMap { line in
            let words = line.split(separator: " ")
            return words.count == 2 && !words[1].hasPrefix("Z") ? Int32(words[0]) : nil
        }
    }
}
