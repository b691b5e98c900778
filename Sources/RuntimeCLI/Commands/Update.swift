internal import OCI
internal import OCIRuntime
internal import Sys

extension Command {
    static let update = Command(
        name: "update", arguments: "ID", summary: "Change the limits of a container",
        options: [
            Option("resources", short: "r", value: "FILE", "linux.resources as JSON, - for standard input"),
            Option("blkio-weight", value: "N", "block I/O weight, 10 to 1000"),
            Option("cpu-period", value: "MICROSECONDS", "period of the CPU quota"),
            Option("cpu-quota", value: "MICROSECONDS", "CPU time a period"),
            Option("cpu-burst", value: "MICROSECONDS", "CPU time that may be saved up"),
            Option("cpu-share", value: "N", "CPU shares"),
            Option("cpu-rt-period", value: "MICROSECONDS", "period of the realtime quota"),
            Option("cpu-rt-runtime", value: "MICROSECONDS", "realtime quota"),
            Option("cpu-idle", value: "0|1", "SCHED_IDLE for the container"),
            Option("cpuset-cpus", value: "LIST", "CPUs, 0-2,7"),
            Option("cpuset-mems", value: "LIST", "memory nodes"),
            Option("memory", value: "BYTES", "memory limit; 64k, 32m and 2g are read as well"),
            Option("memory-reservation", value: "BYTES", "soft memory limit"),
            Option("memory-swap", value: "BYTES", "memory and swap together; -1 for no limit"),
            Option("pids-limit", value: "N", "processes; -1 for no limit"),
        ], count: 1...1
    ) { (line, session) throws(CommandFault) in
        let resources = try UpdatedResources.read(line)
        try session.call { (runtime) throws(ContainerError) in try runtime.update(line.positionals[0], resources) }
        return 0
    }
}

private enum UpdatedResources {
    static func read(_ line: ParsedLine) throws(CommandFault) -> Spec.Resources {
        if let path = line["resources"] { return try file(path) }
        var resources = Spec.Resources()
        var memory = Spec.Memory()
        memory.limit = try line.size("memory")
        memory.reservation = try line.size("memory-reservation")
        memory.swap = try line.size("memory-swap")
        if memory != Spec.Memory() { resources.memory = memory }
        var cpu = Spec.CPU()
        cpu.shares = try line.number("cpu-share")
        cpu.quota = try line.number("cpu-quota")
        cpu.period = try line.number("cpu-period")
        cpu.burst = try line.number("cpu-burst")
        cpu.realtimeRuntime = try line.number("cpu-rt-runtime")
        cpu.realtimePeriod = try line.number("cpu-rt-period")
        cpu.idle = try line.number("cpu-idle")
        cpu.cpus = line["cpuset-cpus"]
        cpu.mems = line["cpuset-mems"]
        if cpu != Spec.CPU() { resources.cpu = cpu }
        if let limit: Int64 = try line.number("pids-limit") { resources.pids = Spec.Pids(limit: limit) }
        if let weight: UInt16 = try line.number("blkio-weight") { resources.blockIO = Spec.BlockIO(weight: weight) }
        return resources
    }

    private static func file(_ path: String) throws(CommandFault) -> Spec.Resources {
        let bytes: [UInt8]
        do throws(Errno) {
            bytes =
                path == "-"
                ? try File.readAll(Int32(0), limit: Spec.maximumSize)
                : try File.readAll(path, limit: Spec.maximumSize)
        } catch {
            throw .failed("read \(path): \(error)")
        }
        do throws(FieldFault) { return try Spec.Resources(reading: bytes) } catch {
            throw .failed("\(path): \(error)")
        }
    }
}
