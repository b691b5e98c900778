/// Rules of one call that all compare the same argument, as ranges of its values: what is left to test in each range.
struct SeccompSplit {
    let argument: UInt32
    /// By the low half, while the high half is zero.
    let low: [SeccompRules.Segment]
    /// Any other value.
    let high: SeccompRules.Segment

    /// nil where ranges do not help: masks, values above 32 bits, or a single rule.
    init?(_ segment: SeccompRules.Segment) {
        guard segment.rules.count > 1, let argument = segment.rules.first?.conditions.first?.argument else {
            return nil
        }
        var points: [UInt64] = [0]
        for rule in segment.rules {
            let own = rule.conditions.filter { $0.argument == argument }
            guard own.count == 1, let condition = own.first, condition.comparison != .maskedEqual,
                condition.value <= UInt64(UInt32.max)
            else { return nil }
            points += SeccompSplit.borders(condition)
        }
        points.sort()
        var ranges: [(first: UInt64, rules: [SeccompRules.Rule], otherwise: SeccompAction)] = []
        for (index, point) in points.enumerated() where index == 0 || points[index - 1] != point {
            let (rules, otherwise) = SeccompSplit.rest(of: segment, argument, at: point)
            if let last = ranges.last, last.rules == rules, last.otherwise == otherwise { continue }
            ranges.append((first: point, rules: rules, otherwise: otherwise))
        }
        guard let last = ranges.last else { return nil }
        self.argument = argument
        high = SeccompRules.Segment(first: 0, rules: last.rules, otherwise: last.otherwise)
        low = ranges.compactMap { range in
            UInt32(exactly: range.first).map {
                SeccompRules.Segment(first: $0, rules: range.rules, otherwise: range.otherwise)
            }
        }
    }

    /// Where the answer of a comparison may change.
    private static func borders(_ condition: SeccompRules.Condition) -> [UInt64] {
        switch condition.comparison {
        case .equal, .notEqual: [condition.value, condition.value + 1]
        case .less, .greaterOrEqual: [condition.value]
        case .lessOrEqual, .greater: [condition.value + 1]
        case .maskedEqual: []
        }
    }

    /// The rules that can still hold when the argument is `value`, without their conditions on it.
    private static func rest(
        of segment: SeccompRules.Segment, _ argument: UInt32, at value: UInt64
    ) -> ([SeccompRules.Rule], SeccompAction) {
        var rules: [SeccompRules.Rule] = []
        for rule in segment.rules {
            guard rule.conditions.allSatisfy({ $0.argument != argument || holds($0, value) }) else { continue }
            let conditions = rule.conditions.filter { $0.argument != argument }
            if conditions.isEmpty { return (rules, rule.action) }
            rules.append(SeccompRules.Rule(conditions: conditions, action: rule.action))
        }
        return (rules, segment.otherwise)
    }

    private static func holds(_ condition: SeccompRules.Condition, _ value: UInt64) -> Bool {
        switch condition.comparison {
        case .equal: value == condition.value
        case .notEqual: value != condition.value
        case .less: value < condition.value
        case .lessOrEqual: value <= condition.value
        case .greater: value > condition.value
        case .greaterOrEqual: value >= condition.value
        case .maskedEqual: false
        }
    }
}
