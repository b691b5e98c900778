/// Patterns of Go's path.Match: `*` and `?` within one path element, `[a-z]`, `[^a-z]`, `\x`.
package enum Glob {
    /// nil: the pattern is malformed.
    package static func match(_ pattern: String, _ text: String) -> Bool? {
        guard let parts = parse(Array(pattern.unicodeScalars)) else { return nil }
        return match(parts, Array(text.unicodeScalars))
    }

    private enum Part {
        case any
        case one
        case literal(Unicode.Scalar)
        case set([ClosedRange<Unicode.Scalar>], negated: Bool)
    }

    private static func parse(_ pattern: [Unicode.Scalar]) -> [Part]? {
        var parts: [Part] = []
        var index = 0
        while index < pattern.count {
            let scalar = pattern[index]
            index += 1
            switch scalar {
            case "*": parts.append(.any)
            case "?": parts.append(.one)
            case "[":
                guard let set = set(pattern, &index) else { return nil }
                parts.append(set)
            case "\\":
                guard index < pattern.count else { return nil }
                parts.append(.literal(pattern[index]))
                index += 1
            default: parts.append(.literal(scalar))
            }
        }
        return parts
    }

    private static func set(_ pattern: [Unicode.Scalar], _ index: inout Int) -> Part? {
        var ranges: [ClosedRange<Unicode.Scalar>] = []
        let negated = index < pattern.count && pattern[index] == "^"
        if negated { index += 1 }
        func scalar() -> Unicode.Scalar? {
            guard index < pattern.count, pattern[index] != "-" else { return nil }
            if pattern[index] == "\\" { index += 1 }
            guard index < pattern.count else { return nil }
            defer { index += 1 }
            return pattern[index]
        }
        while index < pattern.count {
            if pattern[index] == "]", !ranges.isEmpty {
                index += 1
                return .set(ranges, negated: negated)
            }
            guard pattern[index] != "]", let low = scalar() else { return nil }
            var high = low
            if index < pattern.count, pattern[index] == "-" {
                index += 1
                guard let end = scalar() else { return nil }
                high = end
            }
            guard low <= high else { return nil }
            ranges.append(low...high)
        }
        return nil
    }

    /// On a mismatch only the last `*` takes one more: time is at most the product of the lengths.
    private static func match(_ parts: [Part], _ text: [Unicode.Scalar]) -> Bool {
        var (part, position) = (0, 0)
        var retry: (part: Int, position: Int)?
        while true {
            if part < parts.count, case .any = parts[part] {
                part += 1
                retry = (part, position)
                continue
            }
            if part == parts.count, position == text.count { return true }
            if part < parts.count, position < text.count, fits(parts[part], text[position]) {
                part += 1
                position += 1
                continue
            }
            guard let last = retry, last.position < text.count, text[last.position] != "/" else { return false }
            retry = (last.part, last.position + 1)
            (part, position) = (last.part, last.position + 1)
        }
    }

    private static func fits(_ part: Part, _ scalar: Unicode.Scalar) -> Bool {
        switch part {
        case .any: false
        case .one: scalar != "/"
        case .literal(let wanted): scalar == wanted
        case .set(let ranges, let negated): ranges.contains { $0.contains(scalar) } != negated
        }
    }
}
