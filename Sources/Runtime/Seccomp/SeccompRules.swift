internal import OCI

/// The rules of a profile for one ABI, by number, ready to be emitted.
struct SeccompRules: Sendable {
    struct Condition: Hashable, Sendable {
        enum Comparison: String, Sendable {
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
    }

    /// All conditions hold: `action`. No conditions: always.
    struct Rule: Hashable, Sendable {
        let conditions: [Condition]
        let action: SeccompAction
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
    ///   - rules: by number, in any order.
    ///   - beyond: numbers from here on that have no rule get `ENOSYS`; nil: the default action.
    init(_ rules: [(number: UInt32, rule: Rule)], otherwise: SeccompAction, beyond: UInt32?) {
        var builder = SegmentBuilder(otherwise: otherwise, beyond: beyond)
        // A stable order of equal numbers is not needed: `ordered` sorts them anew.
        let sorted = rules.sorted { $0.number < $1.number }
        var index = sorted.startIndex
        while index < sorted.endIndex {
            let number = sorted[index].number
            var group: [Rule] = []
            while index < sorted.endIndex, sorted[index].number == number {
                group.append(sorted[index].rule)
                index += 1
            }
            builder.add(number, SeccompRules.ordered(group))
        }
        segments = builder.finish()
    }

    /// Rules with conditions come before those without, stricter ones before laxer ones: the special beats the general
    /// and, as among filters in the kernel, no beats yes.
    private static func ordered(_ rules: [Rule]) -> [Rule] {
        if rules.count == 1 { return rules }
        var conditional: [Rule] = []
        for rule in rules where !rule.conditions.isEmpty && !conditional.contains(rule) { conditional.append(rule) }
        let always = rules.filter { $0.conditions.isEmpty }.min { $0.action.strictness < $1.action.strictness }
        // Those that answer as the general one does say nothing if no other does.
        if let always, conditional.allSatisfy({ $0.action == always.action }) { return [always] }
        var result = conditional
        result.sort { $0.action.strictness < $1.action.strictness }
        if let always { result.append(always) }
        return result
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

    mutating func add(_ number: UInt32, _ rules: [SeccompRules.Rule]) {
        fill(to: number)
        if let only = rules.first, only.conditions.isEmpty {
            append(number, [], only.action)
        } else if let last = rules.last, last.conditions.isEmpty {
            append(number, Array(rules.dropLast()), last.action)
        } else {
            append(number, rules, otherwise)
        }
        next = number == .max ? nil : number + 1
    }

    mutating func finish() -> [SeccompRules.Segment] {
        if let next { rest(from: next, to: .max) }
        return segments
    }

    private mutating func fill(to number: UInt32) {
        if let next, next < number { rest(from: next, to: number - 1) }
    }

    private mutating func rest(from first: UInt32, to last: UInt32) {
        guard let beyond, last >= beyond else { return append(first, [], otherwise) }
        if first < beyond { append(first, [], otherwise) }
        append(max(first, beyond), [], .noSystemCall)
    }

    private mutating func append(
        _ first: UInt32, _ rules: [SeccompRules.Rule], _ otherwise: SeccompAction
    ) {
        if let last = segments.last, last.rules == rules, last.otherwise == otherwise { return }
        segments.append(SeccompRules.Segment(first: first, rules: rules, otherwise: otherwise))
    }
}
