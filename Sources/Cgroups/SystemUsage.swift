internal import Glibc
internal import Sys

/// What the machine as a whole has spent and has: the other half of docker's percentages.
package struct SystemUsage: Sendable, Hashable {
    /// Time of all CPUs since boot in nanoseconds, idle time included.
    package var cpu: UInt64
    package var onlineCPUs: Int
    /// Bytes.
    package var memory: UInt64

    package init(cpu: UInt64, onlineCPUs: Int, memory: UInt64) {
        self.cpu = cpu
        self.onlineCPUs = onlineCPUs
        self.memory = memory
    }

    /// From the texts of `/proc/stat` and `/proc/meminfo` (proc(5)); nil where they lack what is needed.
    /// `ticksPerSecond` is their unit of time.
    init?(statistics: String, memory: String, ticksPerSecond: Int) {
        var total: UInt64?
        var online = 0
        for line in statistics.split(separator: "\n") where line.hasPrefix("cpu") {
            let words = line.split(separator: " ")
            guard words[0] == "cpu" else {
                online += 1
                continue
            }
            // user nice system idle iowait irq softirq. Stolen time was nobody's, a guest's is in user already.
            total = words.dropFirst().prefix(7).compactMap { UInt64($0) }.reduce(0, &+)
        }
        let lines = memory.split(separator: "\n")
        guard let total, online > 0, ticksPerSecond > 0,
            let kilobytes = lines.first(where: { $0.hasPrefix("MemTotal:") })?.split(separator: " ").dropFirst().first,
            let size = UInt64(kilobytes)
        else { return nil }
        self.init(
            cpu: total &* (1_000_000_000 / UInt64(ticksPerSecond)), onlineCPUs: online, memory: size &* 1024)
    }

    package static func read() throws(CgroupError) -> SystemUsage {
        func text(_ path: String) throws(CgroupError) -> String {
            do throws(Errno) {
                return String(decoding: try File.readAll(path, limit: 16 << 20), as: UTF8.self)
            } catch {
                throw .system(SystemFailure("read", path, error))
            }
        }
        let usage = SystemUsage(
            statistics: try text("/proc/stat"), memory: try text("/proc/meminfo"),
            ticksPerSecond: sysconf(Int32(_SC_CLK_TCK)))
        guard let usage else { throw .system(SystemFailure("understand", "/proc/stat", .invalid)) }
        return usage
    }
}

extension CgroupUsage {
    /// How busy the cgroup was between two looks, in percent of one CPU, by docker's formula: its share of the time that
    /// all CPUs had. 0 where the looks tell no difference; nil where the CPU time is not known.
    package static func cpuPercent(
        from before: (usage: CgroupUsage, system: SystemUsage), to after: (usage: CgroupUsage, system: SystemUsage)
    ) -> Double? {
        guard let start = before.usage.cpu, let end = after.usage.cpu else { return nil }
        guard end > start, after.system.cpu > before.system.cpu else { return 0 }
        let share = Double(end - start) / Double(after.system.cpu - before.system.cpu)
        return share * Double(after.system.onlineCPUs) * 100
    }
}
