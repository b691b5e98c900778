internal import CLinux
internal import Glibc
internal import Sys

/// Where each kind of leak shows.
extension LeakSnapshot {
    /// Processes that were started for the data root, and the mounts of it that any of the machine's mount namespaces
    /// has.
    static func users(of root: String) -> [String] {
        var lines: Set<String> = []
        var seen: Set<String> = []
        for entry in (try? Directory.entries("/proc")) ?? [] {
            guard let pid = Int32(entry.name) else { continue }
            let command = text("/proc/\(pid)/cmdline").replacing("\0", with: " ")
            if pid != getpid(), command.contains(root) { lines.insert("process \(pid): \(command)") }
            // Threads may have a namespace of their own.
            for thread in (try? Directory.entries("/proc/\(pid)/task")) ?? [] {
                let place = "/proc/\(pid)/task/\(thread.name)"
                guard let namespace = try? File.readLink("\(place)/ns/mnt"), seen.insert(namespace).inserted else {
                    continue
                }
                for line in text("\(place)/mountinfo").split(separator: "\n") where line.contains(root) {
                    let point = line.split(separator: " ").dropFirst(4).first ?? ""
                    lines.insert("mount \(point) in the namespace of process \(pid): \(command)")
                }
            }
        }
        return lines.sorted()
    }

    /// What callers of OCI runtimes and runimg-oci have for a test is that test's, which looks after it itself.
    private static let others = ["docker", "podman", "containerd"].map { "runimg-test-\($0)-" } + ["runimg-oci"]

    /// Directories of all hierarchies that have a part named after us.
    static func cgroupDirectories() -> Set<String> {
        var result: Set<String> = []
        var waiting = ["/sys/fs/cgroup"]
        while let next = waiting.popLast() {
            for entry in (try? Directory.entries(next)) ?? [] where entry.type == UInt8(DT_DIR) {
                if others.contains(where: entry.name.hasPrefix) { continue }
                let path = "\(next)/\(entry.name)"
                if path.contains("runimg") { result.insert(path) }
                waiting.append(path)
            }
        }
        return result
    }

    static func isAbandoned(_ cgroup: String) -> Bool {
        guard File.exists(cgroup), text("\(cgroup)/cgroup.procs").isEmpty else { return false }
        let below = (try? Directory.entries(cgroup)) ?? []
        let parts = cgroup.split(separator: "/")
        // The parent that all containers share may stay.
        if parts.last == "runimg" { return false }
        // Somebody's next command removes it: another test's container that was killed. Ours shows by its entry.
        if let id = parts.last, File.exists("/run/runimg/\(id)") { return false }
        return below.allSatisfy { $0.type != UInt8(DT_DIR) || isAbandoned("\(cgroup)/\($0.name)") }
    }

    /// Of the machine only the links: its neighbours and routes have lives of their own. The default network's bridge
    /// stays, as docker's does, and its ports come and go with the containers of all tests, some time after them.
    static func networkState(_ network: PrivateNetwork?) throws -> Set<String> {
        if let network { return try network.state() }
        return Set(try linkNames().filter { $0 != "runimg0" && !$0.hasPrefix("veth") }.map { "link \($0)" })
    }

    /// Of the network namespace that the tests are in, which /sys may not show.
    private static func linkNames() throws -> [String] {
        text("/proc/self/net/dev").split(separator: "\n").dropFirst(2).compactMap { line in
            line.split(separator: ":").first.map { $0.drop { $0 == " " } }.map(String.init)
        }
    }

    static func namedNamespaces() -> Set<String> {
        Set(((try? Directory.entries("/run/netns")) ?? []).map { "netns \($0.name)" })
    }

    static func loopDevices(below root: String) -> [String] {
        ((try? Directory.entries("/sys/block")) ?? []).filter { $0.name.hasPrefix("loop") }
            .map { text("/sys/block/\($0.name)/loop/backing_file") }.filter { $0.contains(root) }
    }

    /// The directories below /run/runimg that serve containers of the data root.
    static func runEntries(of root: String) -> Set<String> {
        let entries = (try? Directory.entries("/run/runimg")) ?? []
        let escaped = root.replacing("/", with: "\\/")
        let ours = entries.filter { entry in
            let state = text("/run/runimg/\(entry.name)/state.json")
            return state.contains(root) || state.contains(escaped)
        }
        return Set(ours.map { "/run/runimg/\($0.name)" })
    }

    /// Locks on files of ours, whoever holds them (proc_locks(5)); the test process itself may.
    static func locks(below roots: [String]) -> [String] {
        let own = "\(getpid())"
        var held: [(pid: Substring, file: String)] = []
        for line in text("/proc/locks").split(separator: "\n") {
            let fields = line.split(separator: " ")
            guard fields.count > 7, fields[1] != "->", fields[4] != own else { continue }
            held.append((fields[4], String(fields[5])))
        }
        if held.isEmpty { return [] }
        var names: [String: String] = [:]
        for root in roots {
            for line in (try? Tool.run("find", [root, "-printf", "%D %i %p\\n"]).lines) ?? [] {
                let parts = line.split(separator: " ", maxSplits: 2)
                guard parts.count == 3, let device = UInt(parts[0]) else { continue }
                // As the kernel prints them: hexadecimal major and minor, decimal inode.
                let numbers = [clinux_major(device), clinux_minor(device)].map { number in
                    (number < 16 ? "0" : "") + String(number, radix: 16)
                }
                names["\(numbers[0]):\(numbers[1]):\(parts[1])"] = String(parts[2])
            }
        }
        return held.compactMap { lock in names[lock.file].map { "lock of process \(lock.pid) on \($0)" } }.sorted()
    }

    static func terminalsInUse() -> Int {
        Int(text("/proc/sys/kernel/pty/nr").split(separator: "\n").first ?? "") ?? 0
    }

    /// The keys of all users (proc_key_users(5): `UID: usage nkeys/…`).
    static func keysInUse() -> Int {
        text("/proc/key-users").split(separator: "\n").reduce(0) { sum, line in
            let fields = line.split(separator: " ")
            guard fields.count > 2 else { return sum }
            return sum + (Int(fields[2].prefix { $0 != "/" }) ?? 0)
        }
    }

    private static func text(_ path: String) -> String {
        guard let bytes = try? File.readAll(path, limit: 16 << 20) else { return "" }
        return String(decoding: bytes, as: UTF8.self)
    }
}
