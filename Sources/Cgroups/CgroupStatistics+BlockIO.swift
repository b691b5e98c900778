extension Cgroup {
    func blockIOStatistics() throws(CgroupError) -> CgroupStatistics.BlockIO? {
        if let directory = directory(of: "io"), directory.hierarchy.isUnified {
            return try read("\(directory.path)/io.stat").map(BlockIOText.unifiedEntries)
        }
        guard let directory = directory(of: "blkio") else { return nil }
        // Who counts depends on the disk's scheduler: the first that has counted anything is the one.
        var found: CgroupStatistics.BlockIO?
        for counter in ["bfq", "throttle"] {
            let prefix = "\(directory.path)/blkio.\(counter).io_servic"
            guard let bytes = try read("\(prefix)e_bytes_recursive") else { continue }
            var counted = CgroupStatistics.BlockIO()
            counted.bytes = BlockIOText.legacyEntries(bytes)
            counted.operations = try read("\(prefix)ed_recursive").map(BlockIOText.legacyEntries) ?? []
            if counted.bytes.contains(where: { $0.value > 0 }) { return counted }
            found = found ?? counted
        }
        return found
    }
}

extension BlockIOText {
    /// `8:0 Read 4096`, one line a device and kind.
    static func legacyEntries(_ text: String) -> [CgroupStatistics.BlockIO.Entry] {
        text.split(separator: "\n").compactMap { line in
            let words = line.split(separator: " ")
            guard words.count == 3, let value = UInt64(words[2]) else { return nil }
            return entry(words[0], String(words[1]), value)
        }
    }

    /// `8:0 rbytes=4096 wbytes=0 rios=1 ...`, one line a device.
    static func unifiedEntries(_ text: String) -> CgroupStatistics.BlockIO {
        let kinds = [("r", "Read"), ("w", "Write"), ("d", "Discard")]
        var result = CgroupStatistics.BlockIO()
        for line in text.split(separator: "\n") {
            let words = line.split(separator: " ")
            guard let device = words.first else { continue }
            func value(_ key: String) -> UInt64? {
                words.first { $0.hasPrefix("\(key)=") }.flatMap { UInt64($0.dropFirst(key.utf8.count + 1)) }
            }
            for (letter, kind) in kinds {
                if let bytes = value("\(letter)bytes") {
                    result.bytes += [entry(device, kind, bytes)].compactMap { $0 }
                }
                if let count = value("\(letter)ios") {
                    result.operations += [entry(device, kind, count)].compactMap { $0 }
                }
            }
        }
        return result
    }

    private static func entry(
        _ device: Substring, _ kind: String, _ value: UInt64
    ) -> CgroupStatistics.BlockIO.Entry? {
        let numbers = device.split(separator: ":")
        guard numbers.count == 2, let major = UInt32(numbers[0]), let minor = UInt32(numbers[1]) else { return nil }
        return CgroupStatistics.BlockIO.Entry(major: major, minor: minor, kind: kind, value: value)
    }
}
