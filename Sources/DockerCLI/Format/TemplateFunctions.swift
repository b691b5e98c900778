/// Functions of templates: Go's and docker's.
enum TemplateFunctions {
    struct Problem: Error { let message: String }

    static let names: Set<String> = [
        "json", "upper", "lower", "title", "split", "join", "pad", "truncate", "print", "println", "printf", "len",
        "index", "slice", "not", "and", "or", "eq", "ne", "lt", "le", "gt", "ge",
    ]

    /// How many arguments a function takes, where `count` is another number.
    static func mismatch(_ name: String, _ count: Int) -> String? {
        let (number, isMinimum): (Int, Bool) =
            switch name {
            case "json", "upper", "lower", "title", "len", "not": (1, false)
            case "split", "join", "truncate", "ne", "lt", "le", "gt", "ge": (2, false)
            case "pad": (3, false)
            case "print", "println": (0, true)
            default: (1, true)
            }
        if isMinimum { return count < number ? "at least \(number)" : nil }
        return count == number ? nil : "\(number)"
    }

    static func call(
        _ name: String, _ arguments: [TemplateValue], _ mode: Template.Mode
    ) throws(Problem) -> TemplateValue {
        switch name {
        case "print": return .string(print(arguments))
        case "println": return .string(arguments.map(\.text).joined(separator: " ") + "\n")
        case "printf": return .string(try format(arguments))
        case "len": return .int(Int64(try length(try argument(arguments, 0))))
        case "index": return try index(arguments)
        case "slice": return try slice(arguments)
        case "not": return .bool(!(try argument(arguments, 0)).isTrue)
        case "eq", "ne", "lt", "le", "gt", "ge": return .bool(try compare(name, arguments))
        default:
            // The header of a table goes through the same template: its words stay as they are.
            if mode == .header {
                return try argument(arguments, name == "pad" || name == "truncate" ? 0 : arguments.count - 1)
            }
            return try text(name, arguments)
        }
    }

    private static func argument(_ arguments: [TemplateValue], _ index: Int) throws(Problem) -> TemplateValue {
        guard arguments.indices.contains(index) else {
            throw Problem(message: "wrong number of args: got \(arguments.count)")
        }
        return arguments[index]
    }

    private static func string(_ arguments: [TemplateValue], _ index: Int) throws(Problem) -> String {
        let value = try argument(arguments, index)
        guard case .string(let text) = value else { throw Problem(message: "wrong type for value; expected string") }
        return text
    }

    private static func int(_ arguments: [TemplateValue], _ index: Int) throws(Problem) -> Int {
        // The bound keeps `pad` from being asked for all memory.
        guard case .int(let value) = try argument(arguments, index), (0...65_536).contains(value) else {
            throw Problem(message: "wrong value; expected int from 0 to 65536")
        }
        return Int(value)
    }

    private static func text(_ name: String, _ arguments: [TemplateValue]) throws(Problem) -> TemplateValue {
        switch name {
        case "json": return .string(try argument(arguments, 0).json)
        case "upper": return .string(try string(arguments, 0).uppercased())
        case "lower": return .string(try string(arguments, 0).lowercased())
        case "title": return .string(title(try string(arguments, 0)))
        case "split": return .strings(split(try string(arguments, 0), by: try string(arguments, 1)))
        case "join":
            guard case .list(let values) = try argument(arguments, 0) else {
                throw Problem(message: "wrong type for value; expected list")
            }
            return .string(values.map(\.text).joined(separator: try string(arguments, 1)))
        case "pad":
            let text = try string(arguments, 0)
            if text.isEmpty { return .string(text) }
            let blanks = (try int(arguments, 1), try int(arguments, 2))
            return .string(String(repeating: " ", count: blanks.0) + text + String(repeating: " ", count: blanks.1))
        case "truncate": return .string(String(try string(arguments, 0).prefix(try int(arguments, 1))))
        default: throw Problem(message: "not defined")
        }
    }

    private static func title(_ text: String) -> String {
        var boundary = true
        return text.map { character in
            defer { boundary = !(character.isLetter || character.isNumber || character == "_" || character == "'") }
            return boundary ? character.uppercased() : String(character)
        }.joined()
    }

    private static func split(_ text: String, by separator: String) -> [String] {
        let (bytes, mark) = (Array(text.utf8), Array(separator.utf8))
        guard !mark.isEmpty else { return text.map(String.init) }
        var parts: [String] = []
        var start = 0
        var position = 0
        while position + mark.count <= bytes.count {
            if bytes[position..<(position + mark.count)].elementsEqual(mark) {
                parts.append(String(decoding: bytes[start..<position], as: UTF8.self))
                position += mark.count
                start = position
            } else {
                position += 1
            }
        }
        return parts + [String(decoding: bytes[start...], as: UTF8.self)]
    }

    /// Go's Sprint: a blank between operands when neither is a string.
    private static func print(_ arguments: [TemplateValue]) -> String {
        var result = ""
        var lastWasString = true
        for value in arguments {
            let isString = if case .string = value { true } else { false }
            if !lastWasString, !isString { result += " " }
            result += value.text
            lastWasString = isString
        }
        return result
    }

    /// `%s %v %d %q %t %%`, with a width.
    private static func format(_ arguments: [TemplateValue]) throws(Problem) -> String {
        var rest = arguments.dropFirst()
        var result = ""
        var scalars = ArraySlice(Array(try string(arguments, 0).unicodeScalars))
        while let scalar = scalars.popFirst() {
            guard scalar == "%" else {
                result.unicodeScalars.append(scalar)
                continue
            }
            let digits = scalars.prefix { $0 == "-" || ("0"..."9").contains($0) }
            scalars = scalars.dropFirst(digits.count)
            guard let verb = scalars.popFirst() else { throw Problem(message: "%!(NOVERB)") }
            if verb == "%" {
                result += "%"
                continue
            }
            guard let value = rest.popFirst() else { throw Problem(message: "%!\(verb)(MISSING)") }
            guard "svdqt".unicodeScalars.contains(verb) else { throw Problem(message: "unsupported verb %\(verb)") }
            let text = verb == "q" ? GoValue.quoted(value.text) : value.text
            result += padded(text, String(String.UnicodeScalarView(digits)))
        }
        return result
    }

    private static func padded(_ text: String, _ specification: String) -> String {
        let width = min(4096, Int(specification.drop { $0 == "-" }) ?? 0)
        let blanks = String(repeating: " ", count: max(0, width - text.count))
        return specification.hasPrefix("-") ? text + blanks : blanks + text
    }

    private static func length(_ value: TemplateValue) throws(Problem) -> Int {
        switch value {
        case .string(let text): text.utf8.count
        case .list(let values): values.count
        case .map(let entries): entries.count
        case .nullList, .nullMap: 0
        default: throw Problem(message: "len of type without a length")
        }
    }

    private static func index(_ arguments: [TemplateValue]) throws(Problem) -> TemplateValue {
        var value = try argument(arguments, 0)
        for key in arguments.dropFirst() {
            switch (value, key) {
            case (.list(let values), .int(let position)):
                guard let place = Int(exactly: position), values.indices.contains(place) else {
                    throw Problem(message: "index out of range: \(position)")
                }
                value = values[place]
            case (.map(let entries), .string(let name)): value = entries[name] ?? .null
            default: throw Problem(message: "can't index item")
            }
        }
        return value
    }

    private static func slice(_ arguments: [TemplateValue]) throws(Problem) -> TemplateValue {
        let value = try argument(arguments, 0)
        let count = try length(value)
        let low = arguments.count > 1 ? try int(arguments, 1) : 0
        let high = arguments.count > 2 ? try int(arguments, 2) : count
        guard low <= high, high <= count else { throw Problem(message: "index out of range: \(high)") }
        switch value {
        case .string(let text): return .string(String(decoding: Array(text.utf8)[low..<high], as: UTF8.self))
        case .list(let values): return .list(Array(values[low..<high]))
        default: throw Problem(message: "can't slice item")
        }
    }

    private static func compare(_ name: String, _ arguments: [TemplateValue]) throws(Problem) -> Bool {
        let left = try argument(arguments, 0)
        guard arguments.count > 1 else { throw Problem(message: "missing argument for comparison") }
        let right = try argument(arguments, 1)
        if name == "eq" { return arguments.dropFirst().contains(left) }
        if name == "ne" { return left != right }
        let order: Int
        switch (left, right) {
        case (.int(let a), .int(let b)): order = a < b ? -1 : a > b ? 1 : 0
        case (.string(let a), .string(let b)): order = a < b ? -1 : a > b ? 1 : 0
        default: throw Problem(message: "incompatible types for comparison")
        }
        switch name {
        case "lt": return order < 0
        case "le": return order <= 0
        case "gt": return order > 0
        default: return order >= 0
        }
    }
}
