/// The rules of a profile for one ABI, by number, ready to be emitted.
struct SeccompRules: Sendable {
    struct Condition: Hashable, Sendable {
        enum Comparison: String, Sendable, CaseIterable {
            case notEqual = "SCMP_CMP_NE"
            case less = "SCMP_CMP_LT"
            case lessOrEqual = "SCMP_CMP_LE"
            case equal = "SCMP_CMP_EQ"
            case greaterOrEqual = "SCMP_CMP_GE"
            case greater = "SCMP_CMP_GT"
            case maskedEqual = "SCMP_CMP_MASKED_EQ"
        }

        let argument: UInt32
        let comparison: Comparison
        /// The mask of `maskedEqual`.
        let value: UInt64
        /// What the masked argument has to be.
        let second: UInt64

        var isAlwaysTrue: Bool { value == 0 && (comparison == .greaterOrEqual || comparison == .maskedEqual) }
    }

    /// All conditions hold: `action`. No conditions: always.
    struct Rule: Hashable, Sendable {
        let conditions: [Condition]
        let action: SeccompAction
    }

    /// A rule of the profile, by position, for a call.
    struct Entry: Sendable {
        let number: UInt32
        let rule: Int

        /// By number first; small and without references, since some nine hundred are sorted for each container.
        fileprivate var key: UInt64 { UInt64(number) << 32 | UInt64(UInt32(truncatingIfNeeded: rule)) }
    }

    /// A run of numbers with the same answer, up to the next entry's `first`.
    struct Segment: Hashable, Sendable {
        let first: UInt32
        let rules: [Rule]
        /// When none of `rules` holds.
        let otherwise: SeccompAction
    }

    /// Ascending, the first one from 0: covers all 2^32 numbers.
    let segments: [Segment]

    /// - Parameters:
    ///   - otherwise: for calls without a rule.
    ///   - beyond: calls from here on that have no rule get `ENOSYS`; nil: `otherwise` as well.
    init(_ entries: [Entry], of rules: [Rule], otherwise: SeccompAction, beyond: UInt32?) {
        var builder = SegmentBuilder(otherwise: otherwise, beyond: beyond)
        let plain = rules.map { $0.conditions.isEmpty ? $0.action : nil }
        let keys = entries.map { $0.key }.sorted()
        var index = 0
        while index < keys.count {
            let number = UInt32(truncatingIfNeeded: keys[index] >> 32)
            let first = index
            while index < keys.count, keys[index] >> 32 == UInt64(number) { index += 1 }
            // Nearly all calls have one rule without conditions: no array is made for those.
            if index == first + 1, let action = plain[SeccompRules.rule(of: keys[first])] {
                builder.add(number, [], action)
            } else {
                let group = SeccompRules.ordered(keys[first..<index].map { rules[SeccompRules.rule(of: $0)] })
                let always = group.last.flatMap { $0.conditions.isEmpty ? $0.action : nil }
                builder.add(number, always == nil ? group : group.dropLast(), always ?? otherwise)
            }
        }
        segments = builder.finish()
    }

    private static func rule(of key: UInt64) -> Int { Int(truncatingIfNeeded: key & 0xffff_ffff) }

    /// Rules with conditions come before those without, stricter ones before laxer ones: the special beats the general
    /// and, as among filters in the kernel, no beats yes.
    private static func ordered(_ rules: [Rule]) -> [Rule] {
        var conditional: [Rule] = []
        for rule in rules where !rule.conditions.isEmpty && !conditional.contains(rule) { conditional.append(rule) }
        let always = rules.filter { $0.conditions.isEmpty }.min { $0.action.strictness < $1.action.strictness }
        // Those that answer as the general one does say nothing if no other does.
        if let always, conditional.allSatisfy({ $0.action == always.action }) { return [always] }
        conditional.sort { $0.action.strictness < $1.action.strictness }
        if let always { conditional.append(always) }
        return conditional
    }
}

private struct SegmentBuilder {
    let otherwise: SeccompAction
    let beyond: UInt32?
    private var segments: [SeccompRules.Segment] = []
    /// The first number without an answer so far; nil behind the last.
    private var next: UInt32? = 0

    init(otherwise: SeccompAction, beyond: UInt32?) {
        self.otherwise = otherwise
        self.beyond = beyond
    }

    mutating func add(_ number: UInt32, _ rules: [SeccompRules.Rule], _ otherwise: SeccompAction) {
        if let next, next < number { rest(from: next, to: number - 1) }
        append(number, rules, otherwise)
        next = number == .max ? nil : number + 1
    }

    mutating func finish() -> [SeccompRules.Segment] {
        if let next { rest(from: next, to: .max) }
        return segments
    }

    private mutating func rest(from first: UInt32, to last: UInt32) {
        guard let beyond, last >= beyond else { return append(first, [], otherwise) }
        if first < beyond { append(first, [], otherwise) }
        append(max(first, beyond), [], .noSystemCall)
    }

    private mutating func append(_ first: UInt32, _ rules: [SeccompRules.Rule], _ otherwise: SeccompAction) {
        if let last = segments.last, last.otherwise == otherwise, last.rules == rules { return }
        segments.append(SeccompRules.Segment(first: first, rules: rules, otherwise: otherwise))
    }
}
