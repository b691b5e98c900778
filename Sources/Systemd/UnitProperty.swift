internal import OCI

/// One property of a unit, as `systemctl show` names it.
package struct UnitProperty: Sendable, Hashable {
    package let name: String
    package let content: DBusValue
    /// The version of systemd that first knows it; 0 for what all have.
    package let since: Int

    package init(_ name: String, _ content: DBusValue, since: Int = 0) {
        self.name = name
        self.content = content
        self.since = since
    }

    var value: DBusValue { .structure([.string(name), .variant(content)]) }

    /// What every unit of ours has: all that is in it is counted from the beginning, and what is below its cgroup is not
    /// systemd's (Delegate=).
    ///
    /// - Parameter isLegacy: block I/O is v1's.
    package static func standard(_ place: UnitPlace, id: String, isLegacy: Bool) -> [UnitProperty] {
        var result = [
            UnitProperty("Description", .string("container \(id) of runimg-oci")),
            UnitProperty("DefaultDependencies", .boolean(false)),
            UnitProperty("MemoryAccounting", .boolean(true)), UnitProperty("CPUAccounting", .boolean(true)),
            UnitProperty(isLegacy ? "BlockIOAccounting" : "IOAccounting", .boolean(true)),
            UnitProperty("TasksAccounting", .boolean(true)),
        ]
        if place.isSlice {
            result.append(UnitProperty("Wants", .strings([place.slice])))
        } else {
            result.append(UnitProperty("Slice", .string(place.slice)))
            result.append(UnitProperty("Delegate", .boolean(true)))
        }
        return result
    }

    /// The process that a scope is made of.
    package static func process(_ pid: Int32) -> UnitProperty {
        UnitProperty("PIDs", .array(of: "u", [.uint32(UInt32(clamping: pid))]))
    }

    /// What may be done with devices, each by number, where either is any, and with what letters of rwm: all else is
    /// refused. Where v1 lists them, systemd without a list of its own may write that all is allowed when it applies what it
    /// knows of the unit anew.
    package static func devices(
        _ allowed: [(isBlock: Bool, major: UInt32?, minor: UInt32?, access: String)]
    ) -> [UnitProperty] {
        let entries = allowed.map { device -> DBusValue in
            let kind = device.isBlock ? "block" : "char"
            let major = device.major.map { String($0) } ?? "*"
            let name = device.minor.map { "/dev/\(kind)/\(major):\($0)" } ?? "\(kind)-\(major)"
            return .structure([.string(name), .string(device.access)])
        }
        return [
            UnitProperty("DevicePolicy", .string("strict")), UnitProperty("DeviceAllow", .array(of: "(ss)", entries)),
        ]
    }
}

extension UnitProperty {
    /// The properties that stand for values of a cgroup's files, in v1's and v2's names (systemd.resource-control(5)): what
    /// systemd knows of a limit it keeps, where it would set what it does not know of back. Files that it has no property
    /// for are passed over.
    package static func of(files: [String: String]) -> [UnitProperty] {
        var result: [UnitProperty] = []
        for (file, text) in files.sorted(by: { $0.key < $1.key }) {
            if let (name, since) = numbers[file], let value = limit(text) {
                result.append(UnitProperty(name, .uint64(value), since: since))
            } else if let name = sets[file], let list = CPUList(text), let mask = list.mask(count: 8192) {
                result.append(UnitProperty(name, .bytes(mask), since: 244))
            }
        }
        // A weight of 0 stands for SCHED_IDLE.
        if files["cpu.idle"] == "1" {
            result.removeAll { $0.name == "CPUWeight" }
            result.append(UnitProperty("CPUWeight", .uint64(0), since: 252))
        }
        return result + bandwidth(files)
    }

    private static let numbers: [String: (String, Int)] = [
        "memory.max": ("MemoryMax", 0), "memory.low": ("MemoryLow", 0), "memory.high": ("MemoryHigh", 0),
        "memory.min": ("MemoryMin", 240), "memory.swap.max": ("MemorySwapMax", 0),
        "memory.limit_in_bytes": ("MemoryLimit", 0), "cpu.weight": ("CPUWeight", 0), "cpu.shares": ("CPUShares", 0),
        "pids.max": ("TasksMax", 0), "io.weight": ("IOWeight", 0), "blkio.weight": ("BlockIOWeight", 0),
    ]

    private static let sets = ["cpuset.cpus": "AllowedCPUs", "cpuset.mems": "AllowedMemoryNodes"]

    /// No limit is the greatest number; what is neither is no limit's value.
    private static func limit(_ text: String) -> UInt64? {
        text == "max" || text == "-1" ? UInt64.max : UInt64(text)
    }

    /// Quota and period are one file on v2, and two on v1.
    private static func bandwidth(_ files: [String: String]) -> [UnitProperty] {
        let words = (files["cpu.max"] ?? "").split(separator: " ").map(String.init)
        guard let quota = words.first ?? files["cpu.cfs_quota_us"] else { return [] }
        let given = (words.count == 2 ? words[1] : files["cpu.cfs_period_us"]).flatMap { UInt64($0) }
        let period = given.flatMap { $0 == 0 ? nil : $0 } ?? 100_000
        guard let value = limit(quota) else { return [] }
        var result = [UnitProperty("CPUQuotaPerSecUSec", .uint64(perSecond(value, period)))]
        if let given { result.append(UnitProperty("CPUQuotaPeriodUSec", .uint64(given), since: 242)) }
        return result
    }

    /// systemd counts in whole hundredths of a processor: never less than what was asked for.
    private static func perSecond(_ quota: UInt64, _ period: UInt64) -> UInt64 {
        if quota == .max { return .max }
        let (whole, isTooMuch) = quota.multipliedReportingOverflow(by: 1_000_000)
        if isTooMuch { return .max }
        let exact = whole / period + (whole % period == 0 ? 0 : 1)
        let (up, isOver) = exact.addingReportingOverflow(9_999)
        return isOver ? .max : up / 10_000 * 10_000
    }
}
