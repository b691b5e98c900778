internal import Glibc
internal import Sys
internal import TestSupport

/// Cgroups that are given to a user with memory and pids, as a service manager delegates them: v1 with the unified
/// hierarchy beside it, or v2 alone.
struct Delegation {
    /// The directories of the user's own; that of the memory controller is the first.
    let places: [String]
    /// Begins a command line that is to start in them.
    let inside: [String]

    private static let root = "/sys/fs/cgroup"
    private static let ofHybrid = "\(root)/unified"
    static let isUnified = File.exists("\(root)/cgroup.controllers")
    static let isPossible =
        Conditions.hasController("pids") && (isUnified || File.exists("\(root)/memory/cgroup.procs"))

    init(to user: OrdinaryUser) throws {
        let name = "runimg-test-\(Random.hex(bytes: 6))"
        var unified: [String] = []
        var legacy: [String] = []
        if Delegation.isUnified {
            unified = ["\(Delegation.root)/\(name)"]
            let control = try File.open("\(Delegation.root)/cgroup.subtree_control", O_WRONLY)
            try File.write(control.raw, "+memory +pids")
        } else {
            legacy = ["memory", "pids", "freezer"].map { "\(Delegation.root)/\($0)/\(name)" }
            if File.exists("\(Delegation.ofHybrid)/cgroup.procs") { unified = ["\(Delegation.ofHybrid)/\(name)"] }
        }
        places = legacy + unified
        // One with processes in it can't pass controllers on: as under systemd, the user's session is below.
        for place in places + unified.map({ "\($0)/session" }) {
            try Directory.make(place, mode: 0o755)
            try Sys.check { chown(place, user.uid, user.uid) }
        }
        for place in unified {
            for file in ["cgroup.procs", "cgroup.subtree_control"] {
                try Sys.check { chown("\(place)/\(file)", user.uid, user.uid) }
            }
        }
        let files = legacy.map { "\($0)/tasks" } + unified.map { "\($0)/session/cgroup.procs" }
        let enter = files.map { "echo 0 > \($0)" }.joined(separator: "; ")
        inside = ["sh", "-c", "\(enter); exec \"$@\"", "-"]
    }

    /// Others may have had v2 pass more on than memory and pids.
    func has(_ controller: String) -> Bool {
        guard Delegation.isUnified, let bytes = try? File.readAll("\(places[0])/cgroup.controllers") else {
            return false
        }
        return String(decoding: bytes, as: UTF8.self).contains(controller)
    }

    /// Whether all of it is gone.
    func remove() -> Bool {
        for place in places {
            for path in ["\(place)/runimg", "\(place)/session", place] { rmdir(path) }
        }
        return !places.contains { File.exists($0) }
    }
}
