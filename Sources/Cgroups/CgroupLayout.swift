internal import Glibc
package import OCI
internal import Sys

/// Which cgroup hierarchies this machine has, and where: read once per process.
package struct CgroupLayout: Sendable, Hashable {
    package enum Mode: String, Sendable {
        /// Only cgroup v1 hierarchies.
        case legacy
        /// v1 hierarchies and cgroup v2 beside them.
        case hybrid
        /// Only cgroup v2.
        case unified
    }

    package struct Hierarchy: Sendable, Hashable {
        /// Where it is mounted, or the cgroup in it that is a user's (`delegated`).
        package private(set) var mountPoint: String
        /// v1: as in the mount's options, `name=systemd` included; v2: what the root's `cgroup.controllers` says.
        package private(set) var controllers: [String]
        package private(set) var isUnified: Bool
        /// What it is called below /sys/fs/cgroup.
        package private(set) var name: String

        package init(mountPoint: String, controllers: [String], isUnified: Bool, name: String? = nil) {
            self.mountPoint = mountPoint
            self.controllers = controllers
            self.isUnified = isUnified
            self.name = name ?? Path.split(mountPoint).name
        }
    }

    /// v1 in the order of the mount table, v2 last.
    package let hierarchies: [Hierarchy]

    package init(hierarchies: [Hierarchy]) {
        self.hierarchies = hierarchies.filter { !$0.isUnified } + hierarchies.filter { $0.isUnified }.prefix(1)
    }

    package var mode: Mode {
        guard hierarchies.contains(where: { $0.isUnified }) else { return .legacy }
        return hierarchies.count == 1 ? .unified : .hybrid
    }

    /// Reads `/proc/self/mountinfo`, and the v2 root's list of controllers where v2 is mounted.
    package static func detect() throws(CgroupError) -> CgroupLayout {
        let table: [UInt8]
        do throws(Errno) {
            table = try File.readAll("/proc/self/mountinfo", limit: 16 << 20)
        } catch {
            throw .system(SystemFailure("read", "/proc/self/mountinfo", error))
        }
        return try CgroupLayout(mountTable: table)
    }

    /// From the bytes of a mountinfo file (proc(5)).
    package init(mountTable: [UInt8]) throws(CgroupError) {
        var found: [Hierarchy] = []
        for line in table(of: mountTable) {
            if line.type == "cgroup" {
                let controllers = line.options.filter { CgroupLayout.isController($0) }
                // The same hierarchy mounted twice (bind mounts): the first one counts.
                if found.contains(where: { $0.controllers == controllers && !$0.isUnified }) { continue }
                found.append(Hierarchy(mountPoint: line.mountPoint, controllers: controllers, isUnified: false))
            } else if !found.contains(where: { $0.isUnified }) {
                let names = CgroupLayout.words(of: "\(line.mountPoint)/cgroup.controllers")
                found.append(Hierarchy(mountPoint: line.mountPoint, controllers: names, isUnified: true))
            }
        }
        if found.isEmpty { throw .notMounted }
        self.init(hierarchies: found)
    }

    /// The hierarchy that has `controller`; v1 wins, since a controller is bound to one version only.
    package func hierarchy(of controller: String) -> Hierarchy? {
        hierarchies.first { $0.controllers.contains(controller) }
    }

    /// All controllers by name, sorted; `devices` and `freezer` are always part of v2.
    package var controllers: [String] {
        Set(hierarchies.flatMap { $0.controllers }).union(mode == .unified ? ["devices", "freezer"] : []).sorted()
    }

    /// Whether a limit on memory and swap together can be enforced (`swapaccount=`, CONFIG_SWAP). On v2 the root has no
    /// such file, so the answer is a guess until a cgroup was made: there it says what the kernel's swap support says.
    package var hasSwapAccounting: Bool {
        guard let memory = hierarchy(of: "memory") else { return false }
        if memory.isUnified { return File.exists("/proc/swaps") }
        return File.exists("\(memory.mountPoint)/memory.memsw.limit_in_bytes")
    }

    static func words(of path: String) -> [String] {
        guard let bytes = try? File.readAll(path, limit: 1 << 20) else { return [] }
        return bytes.split { $0 == 0x20 || $0 == 0x0a }.map { String(decoding: $0, as: UTF8.self) }
    }

    private static func isController(_ option: String) -> Bool {
        let known = [
            "cpu", "cpuacct", "cpuset", "memory", "devices", "freezer", "blkio", "pids", "hugetlb", "net_cls",
            "net_prio", "perf_event", "rdma", "misc", "debug",
        ]
        return known.contains(option) || option.hasPrefix("name=")
    }
}

private struct CgroupMount {
    let mountPoint: String
    let type: String
    let options: [String]
}

/// The cgroup lines of a mount table. Hosts have thousands of other lines, so those are told apart as bytes.
private func table(of bytes: [UInt8]) -> [CgroupMount] {
    var result: [CgroupMount] = []
    for line in bytes.split(separator: 0x0a) {
        // `36 35 98:0 / /mnt rw,noatime master:1 - ext3 /dev/root rw`: any number of tags before the dash.
        let fields = line.split(separator: 0x20)
        guard let dash = fields.firstIndex(of: [0x2d]), dash >= 6, dash + 3 < fields.count else { continue }
        let type = fields[dash + 1]
        guard type.starts(with: "cgroup".utf8), type.count <= 7 else { continue }
        let options = fields[dash + 3].split(separator: 0x2c).map { String(decoding: $0, as: UTF8.self) }
        result.append(
            CgroupMount(
                mountPoint: unescape(fields[4]), type: String(decoding: type, as: UTF8.self), options: options))
    }
    return result
}

/// mountinfo writes blank, tab, newline and backslash as `\040` and the like.
private func unescape(_ field: ArraySlice<UInt8>) -> String {
    var result: [UInt8] = []
    var rest = field
    while let byte = rest.popFirst() {
        let digits = rest.prefix(3)
        if byte == 0x5c, digits.count == 3, digits.allSatisfy({ (0x30...0x37).contains($0) }) {
            result.append(digits.reduce(0) { $0 &* 8 &+ ($1 - 0x30) })
            rest = rest.dropFirst(3)
        } else {
            result.append(byte)
        }
    }
    return String(decoding: result, as: UTF8.self)
}

extension CgroupLayout.Hierarchy: FieldRecord {
    package static let blank = CgroupLayout.Hierarchy(mountPoint: "", controllers: [], isUnified: false, name: "")

    package mutating func fields<Coder: FieldCoder>(_ coder: inout Coder) throws(Coder.Failure) {
        try coder.field("mountPoint", &mountPoint, .required)
        try coder.field("controllers", &controllers, .required)
        try coder.field("isUnified", &isUnified, .required)
        try coder.field("name", &name, .required)
    }
}
