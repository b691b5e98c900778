/// Turns rules into BPF. Numbers are found by binary search, and so are the values of an argument where all rules of a
/// call speak of it; answers are shared. The kernel's time to load a filter grows with its length (0.2 us each), and so
/// does that of the calls that it has to be run for.
struct SeccompEmitter {
    /// What one audit architecture gets.
    struct Block {
        let audit: UInt32
        let is64Bit: Bool
        let segments: [SeccompRules.Segment]
    }

    typealias Opcode = FilterInstruction.Opcode

    /// Written from its end: how far a jump goes is known when its target is there. A position counts from the end.
    private var code: [FilterInstruction] = []
    /// The nearest of each; a filter has a few.
    private var answers: [(action: SeccompAction, position: Int)] = []
    private var is64Bit = true

    /// One block after the other. Any other architecture, which only a program that enters a foreign ABI can have, gets
    /// ENOSYS.
    static func program(_ blocks: [Block]) -> [FilterInstruction] {
        var emitter = SeccompEmitter()
        emitter.code.reserveCapacity(1024)
        var next = emitter.answer(.noSystemCall)
        for block in blocks.reversed() {
            emitter.is64Bit = block.is64Bit
            let tree = emitter.tree(block.segments[...])
            emitter.continueAt(tree)
            let start = emitter.append(.load(SeccompData.number))
            next = emitter.test(Opcode.jumpEqual, block.audit, onTrue: start, onFalse: next)
        }
        emitter.continueAt(next)
        emitter.append(.load(SeccompData.architecture))
        return emitter.code.reversed()
    }

    @discardableResult
    private mutating func append(_ instruction: FilterInstruction) -> Int {
        code.append(instruction)
        return code.count - 1
    }

    /// How far the next instruction would have to jump.
    private func distance(to position: Int) -> Int { code.count - 1 - position }

    /// Makes what is appended next go on at `position`.
    private mutating func continueAt(_ position: Int) {
        let distance = distance(to: position)
        if distance > 0 { append(.jump(over: distance)) }
    }

    /// Conditional jumps reach 255 instructions, an unconditional one any number.
    private mutating func near(_ position: Int) -> Int {
        // One less for the other branch's own detour.
        if distance(to: position) < 255 { return position }
        return append(.jump(over: distance(to: position)))
    }

    private mutating func test(_ code: UInt16, _ constant: UInt32, onTrue: Int, onFalse: Int) -> Int {
        let onTrue = near(onTrue)
        let onFalse = near(onFalse)
        return append(
            FilterInstruction(
                code: code, jumpTrue: UInt8(clamping: distance(to: onTrue)),
                jumpFalse: UInt8(clamping: distance(to: onFalse)), constant: constant))
    }

    private mutating func answer(_ action: SeccompAction) -> Int {
        // Far ones would need a detour, which is as long as another answer.
        let known = answers.firstIndex { $0.action == action }
        if let known, distance(to: answers[known].position) < 200 { return answers[known].position }
        let position = append(.answer(action))
        if let known { answers[known].position = position } else { answers.append((action, position)) }
        return position
    }

    /// Where the search begins, with the number or half an argument loaded.
    private mutating func tree(_ segments: ArraySlice<SeccompRules.Segment>) -> Int {
        guard segments.count > 1 else { return segments.first.map { leaf($0) } ?? answer(.noSystemCall) }
        let middle = segments.startIndex + segments.count / 2
        let right = tree(segments[middle...])
        let left = tree(segments[..<middle])
        return test(Opcode.jumpGreaterOrEqual, segments[middle].first, onTrue: right, onFalse: left)
    }

    private mutating func leaf(_ segment: SeccompRules.Segment) -> Int {
        if segment.rules.isEmpty { return answer(segment.otherwise) }
        if let split = SeccompSplit(segment) {
            let high = is64Bit ? leaf(split.high) : 0
            continueAt(tree(split.low[...]))
            let low = append(.load(SeccompData.low(ofArgument: split.argument)))
            if !is64Bit { return low }
            continueAt(test(Opcode.jumpEqual, 0, onTrue: low, onFalse: high))
            return append(.load(SeccompData.high(ofArgument: split.argument)))
        }
        var next = answer(segment.otherwise)
        for rule in segment.rules.reversed() {
            var match = answer(rule.action)
            for condition in rule.conditions.reversed() {
                match = self.condition(condition, onTrue: match, onFalse: next)
            }
            next = match
        }
        return next
    }

    /// One condition; returns where it begins.
    private mutating func condition(_ condition: SeccompRules.Condition, onTrue: Int, onFalse: Int) -> Int {
        let low = UInt32(truncatingIfNeeded: condition.value)
        let high = UInt32(truncatingIfNeeded: condition.value >> 32)
        let second = condition.second
        switch condition.comparison {
        case .equal:
            return words(condition, high, Opcode.jumpEqual, low, (onTrue, onFalse), (nil, onFalse))
        case .notEqual:
            return words(condition, high, Opcode.jumpEqual, low, (onFalse, onTrue), (nil, onTrue))
        case .greater:
            return words(condition, high, Opcode.jumpGreater, low, (onTrue, onFalse), (onTrue, onFalse))
        case .greaterOrEqual:
            return words(condition, high, Opcode.jumpGreaterOrEqual, low, (onTrue, onFalse), (onTrue, onFalse))
        case .less:
            return words(condition, high, Opcode.jumpGreaterOrEqual, low, (onFalse, onTrue), (onFalse, onTrue))
        case .lessOrEqual:
            return words(condition, high, Opcode.jumpGreater, low, (onFalse, onTrue), (onFalse, onTrue))
        case .maskedEqual:
            let start = masked(
                SeccompData.low(ofArgument: condition.argument), low, UInt32(truncatingIfNeeded: second), onTrue,
                onFalse)
            // A mask without high bits, as all masks of flags are, need not look at the high half.
            if !is64Bit || high == 0 { return start }
            return masked(
                SeccompData.high(ofArgument: condition.argument), high, UInt32(truncatingIfNeeded: second >> 32),
                start, onFalse)
        }
    }

    /// The test of the low half, and before it that of the high half: above it, equal (goes on), below it.
    private mutating func words(
        _ condition: SeccompRules.Condition, _ high: UInt32, _ code: UInt16, _ low: UInt32,
        _ targets: (onTrue: Int, onFalse: Int), _ differing: (above: Int?, below: Int)
    ) -> Int {
        continueAt(test(code, low, onTrue: targets.onTrue, onFalse: targets.onFalse))
        let start = append(.load(SeccompData.low(ofArgument: condition.argument)))
        if !is64Bit { return start }
        var first = test(Opcode.jumpEqual, high, onTrue: start, onFalse: differing.below)
        if let above = differing.above { first = test(Opcode.jumpGreater, high, onTrue: above, onFalse: first) }
        continueAt(first)
        return append(.load(SeccompData.high(ofArgument: condition.argument)))
    }

    private mutating func masked(
        _ offset: UInt32, _ mask: UInt32, _ value: UInt32, _ onTrue: Int, _ onFalse: Int
    ) -> Int {
        continueAt(test(Opcode.jumpEqual, value & mask, onTrue: onTrue, onFalse: onFalse))
        append(FilterInstruction(code: Opcode.and, constant: mask))
        return append(.load(offset))
    }
}
