internal import OCI

/// `struct sched_attr` of sched_setattr(2).
package struct SchedulerAttributes: Hashable, Sendable, CustomStringConvertible {
    package let description: String
    /// As the kernel takes it: SCHED_ATTR_SIZE_VER0.
    package let bytes: [UInt8]

    private static let policies: [String: UInt32] = [
        "SCHED_OTHER": 0, "SCHED_FIFO": 1, "SCHED_RR": 2, "SCHED_BATCH": 3, "SCHED_ISO": 4, "SCHED_IDLE": 5,
        "SCHED_DEADLINE": 6,
    ]
    private static let flags: [String: UInt64] = [
        "SCHED_FLAG_RESET_ON_FORK": 0x01, "SCHED_FLAG_RECLAIM": 0x02, "SCHED_FLAG_DL_OVERRUN": 0x04,
        "SCHED_FLAG_KEEP_POLICY": 0x08, "SCHED_FLAG_KEEP_PARAMS": 0x10, "SCHED_FLAG_UTIL_CLAMP_MIN": 0x20,
        "SCHED_FLAG_UTIL_CLAMP_MAX": 0x40,
    ]

    init(_ scheduler: Spec.Scheduler) throws(RuntimeError) {
        guard let policy = SchedulerAttributes.policies[scheduler.policy] else {
            throw .invalid("scheduler: there is no policy \(scheduler.policy)")
        }
        var flags: UInt64 = 0
        for name in scheduler.flags ?? [] {
            guard let flag = SchedulerAttributes.flags[name] else {
                throw .invalid("scheduler: there is no flag \(name)")
            }
            flags |= flag
        }
        if let nice = scheduler.nice, nice < -20 || nice > 19 {
            throw .invalid("scheduler: nice \(nice) is not between -20 and 19")
        }
        let isDeadline = policy == 6
        if (scheduler.runtime ?? 0, scheduler.deadline ?? 0, scheduler.period ?? 0) != (0, 0, 0), !isDeadline {
            throw .invalid("scheduler: runtime, deadline and period are for SCHED_DEADLINE, not \(scheduler.policy)")
        }
        let isRealTime = policy == 1 || policy == 2
        let priority = scheduler.priority ?? 0
        if isRealTime ? !(1...99).contains(priority) : priority != 0 {
            throw .invalid(
                "scheduler: priority \(priority) with \(scheduler.policy); it is 1 to 99 for SCHED_FIFO and SCHED_RR,"
                    + " and 0 for others")
        }
        var bytes: [UInt8] = []
        func add<T: FixedWidthInteger>(_ value: T) {
            withUnsafeBytes(of: value.littleEndian) { bytes.append(contentsOf: $0) }
        }
        add(UInt32(48))
        add(policy)
        add(flags)
        add(scheduler.nice ?? 0)
        add(UInt32(bitPattern: priority))
        for time in [scheduler.runtime, scheduler.deadline, scheduler.period] { add(time ?? 0) }
        self.bytes = bytes
        description = "\(scheduler.policy) nice \(scheduler.nice ?? 0) priority \(priority)"
    }
}

/// CPUs as sched_setaffinity(2) takes them, from a list such as `0-2,7`.
package struct CPUList: Hashable, Sendable {
    package let text: String
    /// A bit each, in whole words.
    package let mask: [UInt8]

    /// Above CONFIG_NR_CPUS of any kernel.
    private static let limit = 8192

    init(_ text: String) throws(RuntimeError) {
        self.text = text
        var mask: [UInt8] = []
        for part in text.utf8.split(separator: UInt8(ascii: ","), omittingEmptySubsequences: false) {
            let ends = part.split(separator: UInt8(ascii: "-"), maxSplits: 1, omittingEmptySubsequences: false)
                .map { $0.count <= 5 && $0.allSatisfy { (48...57).contains($0) } ? Int(Substring($0)) : nil }
            guard let first = ends.first ?? nil, let last = ends.last ?? nil, first <= last, last < CPUList.limit else {
                throw .invalid("the CPUs \"\(text)\": not a list such as 0-2,7")
            }
            let words = (last / 64 + 1) * 8
            if mask.count < words { mask += [UInt8](repeating: 0, count: words - mask.count) }
            for cpu in first...last { mask[cpu / 8] |= 1 << UInt8(cpu % 8) }
        }
        self.mask = mask
    }
}

extension Spec.IOPriority {
    /// As ioprio_set(2) takes it.
    func value() throws(RuntimeError) -> UInt32 {
        let classes: [String: UInt32] = ["IOPRIO_CLASS_RT": 1, "IOPRIO_CLASS_BE": 2, "IOPRIO_CLASS_IDLE": 3]
        guard let number = classes[self.class] else {
            throw .invalid("ioPriority: there is no class \(self.class)")
        }
        guard let priority = UInt32(exactly: priority), priority < 8 else {
            throw .invalid("ioPriority: \(self.priority) is not between 0 and 7")
        }
        return number << 13 | priority
    }
}

extension Spec.Personality {
    /// As personality(2) takes it.
    func value() throws(RuntimeError) -> UInt32 {
        if let flag = flags?.first { throw .invalid("personality: there is no flag \(flag)") }
        switch domain {
        case "LINUX": return 0
        case "LINUX32": return 8
        default: throw .invalid("personality: there is no domain \(domain)")
        }
    }
}
