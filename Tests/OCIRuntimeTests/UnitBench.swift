internal import OCI
internal import Sys
internal import Systemd
internal import TestSupport
internal import Testing

/// A container whose cgroup systemd keeps, and its unit as systemd sees it.
struct UnitBench {
    let bench: OCIBench
    let container: OCIContainer
    let unit: String
    private let manager: SystemdManager

    static let globals = ["--systemd-cgroup"]
    static let hasSystemd = Conditions.isRoot && File.exists("/run/systemd/system")

    /// - Parameter place: of the unit, with `NAME` in it for a name that nobody else has.
    init(
        _ bench: OCIBench, _ place: String = "system.slice:runimgtest:NAME", unit: String = "runimgtest-NAME.scope",
        script: String = "sleep 1000", change: (inout OCIConfig) -> Void = { _ in }
    ) throws {
        self.bench = bench
        let name = Random.hex(bytes: 6)
        container = try bench.container(script) { config in
            config["linux.cgroupsPath"] = .string(place.replacing("NAME", with: name))
            change(&config)
        }
        self.unit = unit.replacing("NAME", with: name)
        manager = try SystemdManager(isUser: false)
    }

    func launch() throws {
        try container.create(globals: Self.globals)
        try container.start()
    }

    func delete(_ flags: String...) throws {
        let output = try bench.run(["delete"] + flags + [container.id], globals: Self.globals)
        if output.status != 0 { throw Tool.Failure(output: output) }
    }

    func property(_ name: String) throws -> DBusValue {
        let kind = unit.hasSuffix(".slice") ? "Slice" : "Scope"
        return try manager.property(name, of: unit, in: "org.freedesktop.systemd1.\(kind)")
    }

    var state: String { (try? manager.property("ActiveState", of: unit).text) ?? "none" }
    /// A slice without a file is there as soon as somebody asks for it.
    var isGone: Bool {
        if unit.hasSuffix(".slice") { return state == "inactive" }
        return (try? manager.property("LoadState", of: unit).text) == "not-found"
    }
    /// The path of the cgroup that a process is in.
    func cgroup(of pid: Int32? = nil) throws -> String {
        let text = String(decoding: try File.readAll("/proc/\(pid ?? container.pid)/cgroup"), as: UTF8.self)
        let line = text.split(separator: "\n").first { $0.hasPrefix("0::") || $0.contains(":name=systemd:") }
        return line?.split(separator: ":", maxSplits: 2, omittingEmptySubsequences: false).last.map(String.init) ?? ""
    }

    /// A file of the container's cgroup, by the controller of v1 and the names of both.
    func file(_ controller: String, _ legacy: String, _ unified: String) throws -> String {
        let isLegacy = File.exists("/sys/fs/cgroup/\(controller)")
        let directory = isLegacy ? "/sys/fs/cgroup/\(controller)" : "/sys/fs/cgroup"
        let bytes = try File.readAll("\(directory)\(cgroup())/\(isLegacy ? legacy : unified)")
        return String(decoding: bytes, as: UTF8.self).split(separator: "\n").joined(separator: "\n")
    }

    /// Nothing is left: neither the unit nor a cgroup.
    func expectNothing(location: SourceLocation = #_sourceLocation) {
        let isEmpty = Wait.until(seconds: 5) { isGone && LeakSnapshot.cgroups(named: unit).isEmpty }
        #expect(isEmpty, "\(state) \(LeakSnapshot.cgroups(named: unit))", sourceLocation: location)
    }
}
