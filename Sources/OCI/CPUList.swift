/// A list of CPUs or memory nodes (cpuset(7), "List format"): `0-2,7`.
package struct CPUList: Sendable {
    private let ranges: [ClosedRange<UInt32>]

    package init?(_ text: some StringProtocol) {
        var ranges: [ClosedRange<UInt32>] = []
        for part in text.split(separator: ",", omittingEmptySubsequences: false) {
            let ends = part.split(separator: "-", omittingEmptySubsequences: false)
            guard ends.count <= 2, ends.allSatisfy({ !$0.hasPrefix("+") }),
                let first = ends.first.flatMap({ UInt32($0) }), let last = ends.last.flatMap({ UInt32($0) }),
                first <= last
            else { return nil }
            ranges.append(first...last)
        }
        self.ranges = ranges
    }

    /// Whether every number of this list is in `other`.
    package func isSubset(of other: CPUList) -> Bool {
        ranges.allSatisfy { range in
            // The kernel prints lists merged, so a range that is contained lies within one of the other's.
            other.ranges.contains { $0.lowerBound <= range.lowerBound && range.upperBound <= $0.upperBound }
        }
    }

    /// One bit a number, the lowest first; nil where there is one that is not below `count`.
    package func mask(count: UInt32) -> [UInt8]? {
        guard let last = ranges.map(\.upperBound).max(), last < count else { return nil }
        var bytes = [UInt8](repeating: 0, count: Int(last / 8) + 1)
        for number in ranges.joined() { bytes[Int(number / 8)] |= 1 << (number % 8) }
        return bytes
    }
}
