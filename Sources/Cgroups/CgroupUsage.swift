internal import Glibc
internal import Sys

/// What a cgroup has used and holds now. What no controller or file tells is nil, never 0.
package struct CgroupUsage: Sendable, Hashable {
    /// CPU time of all processes that were ever in it, in nanoseconds.
    package var cpu: UInt64?
    package var memory: Memory?
    package var pids: Pids?
    package var blockIO: BlockIO?

    /// Bytes.
    package struct Memory: Sendable, Hashable {
        /// Page cache included.
        package var total: UInt64
        /// Page cache that the kernel takes back first; part of `total`.
        package var inactiveFile: UInt64
        /// nil: none.
        package var limit: UInt64?

        /// What docker and cAdvisor call used: without the cache that costs nothing to take back.
        package var used: UInt64 { inactiveFile < total ? total - inactiveFile : total }
    }

    package struct Pids: Sendable, Hashable {
        /// Threads count as well.
        package var current: UInt64
        /// nil: none.
        package var limit: UInt64?
    }

    /// Bytes, of all devices.
    package struct BlockIO: Sendable, Hashable {
        package var read: UInt64 = 0
        package var written: UInt64 = 0
    }

    package init() {}
}

extension Cgroup {
    /// Reads what each controller says (cgroup-v1/*.rst, cgroup-v2.rst). A cgroup that is gone has used nothing that
    /// anybody could still tell: all nil.
    package func usage() throws(CgroupError) -> CgroupUsage {
        var usage = CgroupUsage()
        usage.cpu = try cpuUsage()
        usage.memory = try memoryUsage()
        usage.pids = try pidsUsage()
        usage.blockIO = try blockIOUsage()
        return usage
    }

    private func cpuUsage() throws(CgroupError) -> UInt64? {
        if let text = try read("cpuacct.usage", of: "cpuacct", unified: false) { return UInt64(text.line) }
        // The base's own file: it is there without any controller.
        guard let unified, let text = try read("\(unified.path)/cpu.stat"),
            let microseconds = CgroupFile.number("usage_usec", in: text)
        else { return nil }
        return microseconds.times(1000)
    }

    private func memoryUsage() throws(CgroupError) -> CgroupUsage.Memory? {
        let names: (total: String, limit: String, inactive: String, unified: Bool)
        if directory(of: "memory")?.hierarchy.isUnified == false {
            names = ("memory.usage_in_bytes", "memory.limit_in_bytes", "total_inactive_file", false)
        } else {
            names = ("memory.current", "memory.max", "inactive_file", true)
        }
        guard let total = try read(names.total, of: "memory", unified: names.unified).flatMap({ UInt64($0.line) })
        else { return nil }
        let limit = try read(names.limit, of: "memory", unified: names.unified)
        let statistics = try read("memory.stat", of: "memory", unified: names.unified)
        var memory = CgroupUsage.Memory(total: total, inactiveFile: 0)
        memory.inactiveFile = statistics.flatMap { CgroupFile.number(names.inactive, in: $0) } ?? 0
        memory.limit = limit.flatMap { UInt64($0.line) }
        // v1 writes "no limit" as the largest number of pages in bytes.
        if memory.limit?.isNoLimit == true { memory.limit = nil }
        return memory
    }

    func pidsUsage() throws(CgroupError) -> CgroupUsage.Pids? {
        let isUnified = directory(of: "pids")?.hierarchy.isUnified ?? true
        guard let current = try read("pids.current", of: "pids", unified: isUnified).flatMap({ UInt64($0.line) })
        else { return nil }
        let limit = try read("pids.max", of: "pids", unified: isUnified).flatMap { UInt64($0.line) }
        return CgroupUsage.Pids(current: current, limit: limit)
    }

    private func blockIOUsage() throws(CgroupError) -> CgroupUsage.BlockIO? {
        if let text = try read("io.stat", of: "io", unified: true) { return BlockIOText.unified(text) }
        // Who counts depends on the disk's scheduler: the first that has counted anything is the one.
        var found: CgroupUsage.BlockIO?
        for counter in ["bfq.io_service_bytes_recursive", "throttle.io_service_bytes_recursive"] {
            guard let text = try read("blkio.\(counter)", of: "blkio", unified: false) else { continue }
            let counted = BlockIOText.legacy(text)
            if counted != CgroupUsage.BlockIO() { return counted }
            found = counted
        }
        return found == nil ? nil : try blockIOOfProcesses()
    }

    /// On a disk without limits or BFQ, v1 of newer kernels counts nothing. Processes have counters of their own then,
    /// which a reaped one's parent takes over (proc(5), `/proc/PID/io`).
    private func blockIOOfProcesses() throws(CgroupError) -> CgroupUsage.BlockIO {
        var result = CgroupUsage.BlockIO()
        for pid in try processes() {
            // Ended meanwhile, or the kernel was built without these counters.
            guard let text = try read("/proc/\(pid)/io") else { continue }
            result.read = result.read.plus(CgroupFile.number("read_bytes:", in: text) ?? 0)
            result.written = result.written.plus(CgroupFile.number("write_bytes:", in: text) ?? 0)
        }
        return result
    }

    /// The file `name` where `controller` is part of a hierarchy of that version.
    func read(_ name: String, of controller: String, unified: Bool) throws(CgroupError) -> String? {
        guard let directory = directory(of: controller), directory.hierarchy.isUnified == unified else { return nil }
        return try read("\(directory.path)/\(name)")
    }

    func read(_ path: String) throws(CgroupError) -> String? {
        do throws(Errno) {
            return try CgroupFile.read(path)
        } catch {
            // ENODEV, ESRCH: gone between open and read. EOPNOTSUPP: a controller that is compiled in and switched off.
            if error == .noEntry || error == .notSupported || error == .noProcess || error.rawValue == ENODEV {
                return nil
            }
            throw .system(SystemFailure("read", path, error))
        }
    }
}

/// Both versions' counters of block devices.
enum BlockIOText {
    /// `8:0 Read 4096`, one line a device and kind; `Total` and the kinds that overlap are left out.
    static func legacy(_ text: String) -> CgroupUsage.BlockIO {
        var result = CgroupUsage.BlockIO()
        for line in text.split(separator: "\n") {
            let words = line.split(separator: " ")
            guard words.count == 3, let bytes = UInt64(words[2]) else { continue }
            if words[1] == "Read" { result.read = result.read.plus(bytes) }
            if words[1] == "Write" { result.written = result.written.plus(bytes) }
        }
        return result
    }

    /// `8:0 rbytes=4096 wbytes=0 rios=1 ...`, one line a device.
    static func unified(_ text: String) -> CgroupUsage.BlockIO {
        var result = CgroupUsage.BlockIO()
        for word in text.split(whereSeparator: { $0 == "\n" || $0 == " " }) {
            let parts = word.split(separator: "=")
            guard parts.count == 2, let bytes = UInt64(parts[1]) else { continue }
            if parts[0] == "rbytes" { result.read = result.read.plus(bytes) }
            if parts[0] == "wbytes" { result.written = result.written.plus(bytes) }
        }
        return result
    }
}

extension String {
    /// The first line.
    var line: Substring { prefix { $0 != "\n" } }
}

extension UInt64 {
    /// Counters stop at the end instead of trapping.
    func plus(_ other: UInt64) -> UInt64 {
        let (sum, overflow) = addingReportingOverflow(other)
        return overflow ? .max : sum
    }

    func times(_ factor: UInt64) -> UInt64 {
        let (product, overflow) = multipliedReportingOverflow(by: factor)
        return overflow ? .max : product
    }
}
