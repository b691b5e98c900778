internal import Glibc
internal import Images
internal import Sys

/// What is different where an ordinary user works: decided once at the start and passed down. The process is user 0 of a
/// user namespace then, which all of the user's commands and containers share.
package struct Rootless: Sendable, Hashable {
    /// The user on the host.
    package var uid: UInt32
    /// The namespace has the IDs from 0 up to this.
    package var userCount: UInt32
    package var groupCount: UInt32
    package var places: RootlessPlaces
    /// The lock that keeps the namespace's keeper, shared: a monitor takes it over. -1 outside of the namespace.
    package var lock: Int32
    /// Why there is no namespace; nil where the process is in one. Without it the process is just the user: images can be
    /// had and their files unpacked, but nothing can be mounted or run.
    var obstacle: NamespaceObstacle?

    /// Where there is one ID, all files are its, and groups can be neither taken nor left (user_namespaces(7)).
    package var hasOneID: Bool { userCount <= 1 }

    var workerIDs: WorkerRequest.IDs { WorkerRequest.IDs(users: userCount, groups: groupCount) }

    /// For messages: the IDs that there are, and what gives more.
    var range: String {
        if hasOneID {
            return
                "only 0, which is you; with newuidmap (Debian's package uidmap) and a line of yours in /etc/subuid and "
                + "/etc/subgid there are more"
        }
        return "0 to \(min(userCount, groupCount) - 1); a longer range in /etc/subuid and /etc/subgid gives more"
    }

    /// As a command that a monitor runs is told of it: `LOCK:DIRECTORY`, the run directory; `none` for want of a namespace.
    package func text(lock: Int32) -> String { "\(obstacle == nil ? "\(lock)" : "none"):\(places.runDirectory)" }

    /// The other way round, in such a command, which is in the namespace by birth.
    package init?(_ text: String) {
        let parts = text.split(separator: ":", maxSplits: 1)
        if parts.count == 2, parts[0] == "none", parts[1].hasPrefix("/") {
            let places = RootlessPlaces(dataRoot: nil, runDirectory: String(parts[1]), configurationFiles: [])
            self.init(
                uid: geteuid(), places: places, obstacle: NamespaceObstacle(errno: .notPermitted, remedies: []))
            return
        }
        guard parts.count == 2, let lock = Int32(parts[0]), parts[1].hasPrefix("/") else { return nil }
        self.init(
            places: RootlessPlaces(dataRoot: nil, runDirectory: String(parts[1]), configurationFiles: []), lock: lock)
    }

    /// From what the process's own maps say.
    init(places: RootlessPlaces, lock: Int32) {
        let users = IDMap.own("uid_map")
        uid = users.first { $0.inside == 0 }?.outside ?? 0
        userCount = users.reduce(0) { max($0, $1.end) }
        groupCount = IDMap.own("gid_map").reduce(0) { max($0, $1.end) }
        self.places = places
        self.lock = lock
    }

    /// Outside of the namespace, for what needs no container.
    init(uid: UInt32, places: RootlessPlaces, obstacle: NamespaceObstacle? = nil) {
        self.obstacle = obstacle
        self.uid = uid
        userCount = 0
        groupCount = 0
        self.places = places
        lock = -1
    }
}

/// What keeps an ordinary user from having a user namespace, and ways out.
struct NamespaceObstacle: Sendable, Hashable {
    var errno: Errno
    var remedies: [String]

    var error: EngineError { .noUserNamespace(errno, remedies: remedies) }
}

/// A line of /proc/PID/uid_map: `count` IDs from `inside` on are those of the parent's from `outside` on.
struct IDMap {
    let inside: UInt32
    let outside: UInt32
    let count: UInt32

    var end: UInt32 { inside.addingReportingOverflow(count).partialValue }

    static func own(_ file: String) -> [IDMap] { read("/proc/self/\(file)") }

    static func read(_ path: String) -> [IDMap] {
        guard let bytes = try? File.readAll(path, limit: 1 << 16) else { return [] }
        return String(decoding: bytes, as: UTF8.self).split(separator: "\n").compactMap { line in
            let numbers = line.split(separator: " ").compactMap { UInt32($0) }
            return numbers.count == 3 ? IDMap(inside: numbers[0], outside: numbers[1], count: numbers[2]) : nil
        }
    }
}
