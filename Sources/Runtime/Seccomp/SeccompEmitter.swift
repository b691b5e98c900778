/// Turns segments into BPF: a binary search over numbers, then the rules of the one found. A call takes about six
/// comparisons instead of one for each known call.
enum SeccompEmitter {
    /// The program for several ABIs: those with the same audit architecture are one block already. Anything else,
    /// which only a program that enters a foreign ABI can reach, gets ENOSYS.
    static func program(_ blocks: [(audit: UInt32, code: [FilterInstruction])]) -> [FilterInstruction] {
        var result: [FilterInstruction] = [.load(SeccompData.architecture)]
        for block in blocks {
            result.append(
                FilterInstruction(
                    code: FilterInstruction.Opcode.jumpEqual, jumpTrue: 1, jumpFalse: 0, constant: block.audit))
            result.append(.jump(over: block.code.count))
            result += block.code
        }
        result.append(.answer(.noSystemCall))
        return result
    }

    /// The block of one audit architecture.
    static func block(_ segments: [SeccompRules.Segment], is64Bit: Bool) -> [FilterInstruction] {
        [.load(SeccompData.number)] + tree(segments[...], is64Bit)
    }

    private static func tree(_ segments: ArraySlice<SeccompRules.Segment>, _ is64Bit: Bool) -> [FilterInstruction] {
        guard segments.count > 1 else { return segments.first.map { leaf($0, is64Bit) } ?? [] }
        let middle = segments.startIndex + segments.count / 2
        let left = tree(segments[..<middle], is64Bit)
        let right = tree(segments[middle...], is64Bit)
        let first = segments[middle].first
        let code = FilterInstruction.Opcode.jumpGreaterOrEqual
        // Conditional jumps reach 255 instructions, an unconditional one any number.
        if let near = UInt8(exactly: left.count) {
            return [FilterInstruction(code: code, jumpTrue: near, jumpFalse: 0, constant: first)] + left + right
        }
        let test = FilterInstruction(code: code, jumpTrue: 0, jumpFalse: 1, constant: first)
        return [test, .jump(over: left.count)] + left + right
    }

    private static func leaf(_ segment: SeccompRules.Segment, _ is64Bit: Bool) -> [FilterInstruction] {
        segment.rules.flatMap { rule($0, is64Bit) } + [.answer(segment.otherwise)]
    }

    /// Where a test goes on: only forward, inside of one rule.
    private enum Target { case next, match, fail }

    private struct Step {
        var instruction: FilterInstruction
        var onTrue = Target.next
        var onFalse = Target.next
    }

    private static func rule(_ rule: SeccompRules.Rule, _ is64Bit: Bool) -> [FilterInstruction] {
        let blocks = rule.conditions.map { steps($0, is64Bit) }
        // Behind the last condition stands the answer; a failed one goes on behind that.
        let end = blocks.reduce(0) { $0 + $1.count } + 1
        var result: [FilterInstruction] = []
        var blockEnd = 0
        for block in blocks {
            blockEnd += block.count
            for step in block {
                var instruction = step.instruction
                // At most 6 conditions of 6 steps: no distance is above 36.
                let position = result.count + 1
                func distance(_ target: Target) -> UInt8 {
                    switch target {
                    case .next: 0
                    case .match: UInt8(clamping: blockEnd - position)
                    case .fail: UInt8(clamping: end - position)
                    }
                }
                instruction.jumpTrue = distance(step.onTrue)
                instruction.jumpFalse = distance(step.onFalse)
                result.append(instruction)
            }
        }
        result.append(.answer(rule.action))
        return result
    }

    private static func steps(_ condition: SeccompRules.Condition, _ is64Bit: Bool) -> [Step] {
        let low = UInt32(truncatingIfNeeded: condition.value)
        let high = UInt32(truncatingIfNeeded: condition.value >> 32)
        let loadLow = Step(instruction: .load(SeccompData.low(ofArgument: condition.argument)))
        let loadHigh = Step(instruction: .load(SeccompData.high(ofArgument: condition.argument)))
        typealias Opcode = FilterInstruction.Opcode
        switch condition.comparison {
        case .equal:
            let lowSteps = [loadLow, test(Opcode.jumpEqual, low, .match, .fail)]
            return is64Bit ? [loadHigh, test(Opcode.jumpEqual, high, .next, .fail)] + lowSteps : lowSteps
        case .notEqual:
            let lowSteps = [loadLow, test(Opcode.jumpEqual, low, .fail, .match)]
            return is64Bit ? [loadHigh, test(Opcode.jumpEqual, high, .next, .match)] + lowSteps : lowSteps
        case .greater, .greaterOrEqual:
            let code = condition.comparison == .greater ? Opcode.jumpGreater : Opcode.jumpGreaterOrEqual
            let lowSteps = [loadLow, test(code, low, .match, .fail)]
            if !is64Bit { return lowSteps }
            return [
                loadHigh, test(Opcode.jumpGreater, high, .match, .next), test(Opcode.jumpEqual, high, .next, .fail),
            ]
                + lowSteps
        case .less, .lessOrEqual:
            // Not greater-or-equal, not greater.
            let code = condition.comparison == .less ? Opcode.jumpGreaterOrEqual : Opcode.jumpGreater
            let lowSteps = [loadLow, test(code, low, .fail, .match)]
            if !is64Bit { return lowSteps }
            return [
                loadHigh, test(Opcode.jumpGreater, high, .fail, .next), test(Opcode.jumpEqual, high, .next, .match),
            ]
                + lowSteps
        case .maskedEqual:
            let lowSteps = masked(loadLow, low, UInt32(truncatingIfNeeded: condition.second), .match)
            // A mask without high bits, as all masks of flags are, need not look at the high half.
            if !is64Bit || high == 0 { return lowSteps }
            return masked(loadHigh, high, UInt32(truncatingIfNeeded: condition.second >> 32), .next) + lowSteps
        }
    }

    private static func test(_ code: UInt16, _ constant: UInt32, _ onTrue: Target, _ onFalse: Target) -> Step {
        Step(instruction: FilterInstruction(code: code, constant: constant), onTrue: onTrue, onFalse: onFalse)
    }

    private static func masked(_ load: Step, _ mask: UInt32, _ value: UInt32, _ onTrue: Target) -> [Step] {
        [
            load, Step(instruction: FilterInstruction(code: FilterInstruction.Opcode.and, constant: mask)),
            test(FilterInstruction.Opcode.jumpEqual, value & mask, onTrue, .fail),
        ]
    }
}
