internal import Sys

/// The sizes of huge pages that this kernel has, as cgroup files name them.
enum Hugepages {
    /// `2MB`, `1GB`: from `/sys/kernel/mm/hugepages/hugepages-2048kB`; none where there are none.
    static func sizes() -> [String] {
        let names = (try? Directory.entries("/sys/kernel/mm/hugepages").map(\.name)) ?? []
        return names.compactMap { name in
            guard name.hasPrefix("hugepages-"), name.hasSuffix("kB") else { return nil }
            return UInt64(name.dropFirst(10).dropLast(2)).map(text)
        }.sorted()
    }

    static func text(kilobytes: UInt64) -> String {
        var value = kilobytes
        for unit in ["KB", "MB"] {
            if value < 1024 || !value.isMultiple(of: 1024) { return "\(value)\(unit)" }
            value /= 1024
        }
        return "\(value)GB"
    }
}
