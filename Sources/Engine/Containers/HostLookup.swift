internal import Cgroups
internal import Glibc
internal import Sys

extension HostFacts {
    /// Asks this machine.
    static func lookUp(hasPidsController: Bool, rootless: Rootless?) -> HostFacts {
        var facts = HostFacts(
            openFilesLimit: hardLimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue)) ?? 1024,
            coreLimit: hardLimit(__rlimit_resource_t(RLIMIT_CORE.rawValue)) ?? 0, hasPidsController: hasPidsController,
            cpuCount: max(1, sysconf(Int32(_SC_NPROCESSORS_ONLN))))
        facts.thermalThrottles = thermalThrottles()
        facts.rootless = rootless
        return facts
    }

    /// One look where there are none, as in most virtual machines; all CPUs have one or none has.
    static func thermalThrottles(below directory: String = "/sys/devices/system/cpu") -> [String] {
        func path(_ cpu: String) -> String { "\(directory)/\(cpu)/thermal_throttle" }
        guard File.exists(path("cpu0")), let entries = try? Directory.entries(directory) else { return [] }
        let cpus = entries.map(\.name).filter { name in
            name.hasPrefix("cpu") && name.utf8.count > 3
                && name.utf8.dropFirst(3).allSatisfy { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }
        }
        return cpus.map(path).filter { File.exists($0) }.sorted()
    }

    private static func hardLimit(_ resource: __rlimit_resource_t) -> UInt64? {
        var limit = rlimit()
        return getrlimit(resource, &limit) == 0 ? UInt64(limit.rlim_max) : nil
    }

    /// What uname(2) says of the running kernel.
    static func kernel() -> (name: String, release: String, machine: String) {
        var names = utsname()
        guard uname(&names) == 0 else { return ("localhost", "", "") }
        func text<T>(_ field: T) -> String {
            withUnsafeBytes(of: field) { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) }
        }
        return (text(names.nodename), text(names.release), text(names.machine))
    }

    /// The host's own name, for a container that shares it.
    static func hostname() -> String { kernel().name }
}
