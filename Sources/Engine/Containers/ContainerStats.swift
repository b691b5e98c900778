internal import Cgroups
internal import Glibc
internal import Sys

/// What a container uses, as `stats` shows it. What nothing on this machine counts is nil; a container that does not run
/// uses 0 of everything.
package struct ContainerStats: Sendable, Hashable {
    package var id: String
    package var name: String
    /// Percent of one CPU since the look before.
    package var cpuPercent: Double?
    /// Bytes, without page cache that costs nothing to take back.
    package var memoryUsed: UInt64?
    /// The container's limit in bytes, or the machine's memory.
    package var memoryLimit: UInt64?
    package var network: Traffic?
    /// From and to block devices.
    package var blockIO: Traffic?
    /// Processes and threads.
    package var pids: UInt64?

    /// Bytes in both directions.
    package struct Traffic: Sendable, Hashable {
        package var read: UInt64
        package var written: UInt64

        package init(read: UInt64, written: UInt64) {
            self.read = read
            self.written = written
        }
    }

    package init(id: String, name: String) {
        self.id = id
        self.name = name
    }

    package var memoryPercent: Double? {
        guard let memoryUsed, let memoryLimit, memoryLimit > 0 else { return memoryUsed.map { _ in 0 } }
        return Double(memoryUsed) / Double(memoryLimit) * 100
    }
}

/// One look at a container. Two of them make its CPU percentage.
struct StatsSample: Sendable {
    var usage: CgroupUsage
    var system: SystemUsage
    var network: ContainerStats.Traffic?
}

extension ContainerStats {
    /// nil stands for a container that does not run.
    init(id: String, name: String, before: StatsSample?, now: StatsSample?) {
        self.init(id: id, name: name)
        guard let now else {
            cpuPercent = 0
            (memoryUsed, memoryLimit, pids) = (0, 0, 0)
            (network, blockIO) = (Traffic(read: 0, written: 0), Traffic(read: 0, written: 0))
            return
        }
        let start = before ?? now
        cpuPercent = CgroupUsage.cpuPercent(from: (start.usage, start.system), to: (now.usage, now.system))
        memoryUsed = now.usage.memory?.used
        memoryLimit = now.usage.memory.map { min($0.limit ?? .max, now.system.memory) }
        network = now.network
        blockIO = now.usage.blockIO.map { Traffic(read: $0.read, written: $0.written) }
        pids = now.usage.pids?.current
    }
}

/// The counters of a network namespace (proc(5), `/proc/PID/net/dev`).
enum NetworkCounters {
    /// Of all interfaces but the loopback, as seen by process `pid`; 0 for the namespace of the host, whose traffic is
    /// not the container's. nil when the process is gone.
    static func read(of pid: Int32) -> ContainerStats.Traffic? {
        guard let own = try? File.status("/proc/self/ns/net", follow: true),
            let theirs = try? File.status("/proc/\(pid)/ns/net", follow: true)
        else { return nil }
        if own.isSameFile(as: theirs) { return ContainerStats.Traffic(read: 0, written: 0) }
        guard let text = try? File.readAll("/proc/\(pid)/net/dev", limit: 4 << 20) else { return nil }
        return parse(text)
    }

    /// `  eth0: RECEIVED packets errs drop fifo frame compressed multicast SENT ...`, below two lines of titles.
    static func parse(_ text: [UInt8]) -> ContainerStats.Traffic {
        var total = ContainerStats.Traffic(read: 0, written: 0)
        for line in text.split(separator: 0x0a).dropFirst(2) {
            guard let colon = line.lastIndex(of: UInt8(ascii: ":")) else { continue }
            let name = line[..<colon].drop { $0 == 0x20 }
            let fields = line[(colon + 1)...].split(separator: 0x20)
            let numbers = fields.map { UInt64(String(decoding: $0, as: UTF8.self)) }
            guard numbers.count >= 9, !name.elementsEqual("lo".utf8), let received = numbers[0], let sent = numbers[8]
            else { continue }
            total.read &+= received
            total.written &+= sent
        }
        return total
    }
}
