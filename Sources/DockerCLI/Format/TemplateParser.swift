/// What is wrong with a template, in the words of Go's text/template.
package enum TemplateError: Error, Equatable, CustomStringConvertible {
    case parse(line: Int, String)
    case execute(line: Int, column: Int, at: String, String)

    package var description: String {
        switch self {
        case .parse(let line, let message): "template: :\(line): \(message)"
        case .execute(let line, let column, let place, let message):
            "template: :\(line):\(column): executing \"\" at <\(place)>: \(message)"
        }
    }

    /// As docker's lists say it.
    var listDescription: String {
        switch self {
        case .parse: "failed to parse template: \(self)"
        case .execute: "failed to execute template: \(self)"
        }
    }
}

indirect enum TemplateNode: Hashable, Sendable {
    case text(String)
    case action(TemplatePipeline)
    case condition(TemplatePipeline, then: [TemplateNode], otherwise: [TemplateNode])
    case with(TemplatePipeline, then: [TemplateNode], otherwise: [TemplateNode])
    case range(TemplatePipeline, body: [TemplateNode], otherwise: [TemplateNode])
    /// `{{break}}` and `{{continue}}`.
    case leave(ends: Bool)
}

/// `[$x :=] COMMAND | COMMAND`; each command's value becomes the last argument of the next.
struct TemplatePipeline: Hashable, Sendable {
    var variables: [String] = []
    var declares = false
    var commands: [[TemplateOperand]] = []
}

struct TemplateOperand: Hashable, Sendable {
    indirect enum Base: Hashable, Sendable {
        case dot
        case variable(String)
        case literal(TemplateValue)
        case function(String)
        case pipeline(TemplatePipeline)
    }

    var base: Base
    var fields: [String] = []
    /// Of the second field where there are several, as Go counts.
    var offset: Int
    /// As written, for messages.
    var spelling: String
}

struct TemplateParser {
    private let tokens: ArraySlice<TemplateToken>
    private let lines: [Int]
    private var index: Int
    /// How many `range`s are open.
    private var loops = 0

    /// The limit of nesting: deeper templates would end the stack.
    private static let maximumDepth = 100

    static func parse(_ tokens: [TemplateToken], _ text: String) throws(TemplateError) -> [TemplateNode] {
        var parser = TemplateParser(tokens: ArraySlice(tokens), text: text)
        let (nodes, end) = try parser.nodes(depth: 0)
        if let end { throw parser.error("unexpected {{\(end)}}") }
        return nodes
    }

    private init(tokens: ArraySlice<TemplateToken>, text: String) {
        self.tokens = tokens
        index = tokens.startIndex
        lines = text.utf8.enumerated().filter { $0.element == 10 }.map(\.offset)
    }

    private func error(_ message: String) -> TemplateError {
        let offset = index < tokens.endIndex ? tokens[index].offset : Int.max
        return .parse(line: 1 + lines.count { $0 < offset }, message)
    }

    private mutating func next() -> TemplateToken? {
        guard index < tokens.endIndex else { return nil }
        index += 1
        return tokens[index - 1]
    }

    private var peek: TemplateToken? { index < tokens.endIndex ? tokens[index] : nil }

    private static let keywords: Set<String> = ["if", "with", "range", "end", "else", "break", "continue"]

    /// Up to `{{end}}` or `{{else…}}`, whose word is returned.
    private mutating func nodes(depth: Int) throws(TemplateError) -> ([TemplateNode], String?) {
        guard depth < Self.maximumDepth else { throw error("template is nested too deeply") }
        var result: [TemplateNode] = []
        while let token = next() {
            if case .text(let text) = token.kind {
                result.append(.text(text))
                continue
            }
            guard case .word(let word)? = peek?.kind, Self.keywords.contains(word) else {
                result.append(.action(try pipeline(depth: depth, until: .close)))
                continue
            }
            index += 1
            switch word {
            case "end":
                try expectClose("end")
                return (result, "end")
            case "else": return (result, "else")
            case "break", "continue":
                guard loops > 0 else { throw error("{{\(word)}} outside {{range}}") }
                try expectClose(word)
                result.append(.leave(ends: word == "break"))
            default: result.append(try branch(word, depth))
            }
        }
        if depth > 0 { throw error("unexpected EOF") }
        return (result, nil)
    }

    private mutating func expectClose(_ context: String) throws(TemplateError) {
        guard next()?.kind == .close else { throw error("unexpected token in \(context)") }
    }

    private mutating func branch(_ word: String, _ depth: Int) throws(TemplateError) -> TemplateNode {
        let condition = try pipeline(depth: depth, until: .close, of: word)
        if word == "range" { loops += 1 }
        let (body, end) = try nodes(depth: depth + 1)
        if word == "range" { loops -= 1 }
        var otherwise: [TemplateNode] = []
        if end == "else" {
            if case .word(let chained)? = peek?.kind, chained == word, word != "range" {
                index += 1
                otherwise = [try branch(word, depth + 1)]
            } else {
                try expectClose("else")
                let (rest, closing) = try nodes(depth: depth + 1)
                guard closing == "end" else { throw error("expected end; found {{else}}") }
                otherwise = rest
            }
        }
        switch word {
        case "if": return .condition(condition, then: body, otherwise: otherwise)
        case "with": return .with(condition, then: body, otherwise: otherwise)
        default: return .range(condition, body: body, otherwise: otherwise)
        }
    }

    private mutating func pipeline(
        depth: Int, until end: TemplateToken.Kind, of owner: String = "command"
    ) throws(TemplateError) -> TemplatePipeline {
        guard depth < Self.maximumDepth else { throw error("template is nested too deeply") }
        var result = TemplatePipeline()
        try declarations(&result)
        var command: [TemplateOperand] = []
        while let token = next() {
            switch token.kind {
            case .pipe, end:
                guard !command.isEmpty else {
                    throw error("missing value for \(result.commands.isEmpty ? owner : "command")")
                }
                result.commands.append(command)
                command = []
                if token.kind == end { return result }
            case .close: throw error("unclosed left paren")
            case .rightParenthesis: throw error("unexpected right paren")
            default:
                index -= 1
                command.append(try operand(depth))
            }
        }
        throw error("unclosed action")
    }

    /// `$x :=`, `$x =`, `$i, $x :=`.
    private mutating func declarations(_ pipeline: inout TemplatePipeline) throws(TemplateError) {
        let start = index
        var names: [String] = []
        while case .variable(let name)? = peek?.kind {
            names.append(name)
            index += 1
            guard peek?.kind == .comma else { break }
            index += 1
        }
        guard let kind = peek?.kind, kind == .declare || kind == .assign, (1...2).contains(names.count) else {
            index = start
            return
        }
        index += 1
        pipeline.variables = names
        pipeline.declares = kind == .declare
    }

    private mutating func operand(_ depth: Int) throws(TemplateError) -> TemplateOperand {
        guard let token = next() else { throw error("unclosed action") }
        var operand: TemplateOperand
        func make(_ base: TemplateOperand.Base, _ text: String) -> TemplateOperand {
            TemplateOperand(base: base, offset: token.offset, spelling: text)
        }
        switch token.kind {
        case .dot: return make(.dot, ".")
        case .field(let name):
            operand = make(.dot, ".\(name)")
            operand.fields = [name]
        case .variable(let name): operand = make(.variable(name), name)
        case .string(let text): return make(.literal(.string(text)), GoValue.quoted(text))
        case .number(let value): return make(.literal(.int(value)), "\(value)")
        case .word("true"): return make(.literal(.bool(true)), "true")
        case .word("false"): return make(.literal(.bool(false)), "false")
        case .word("nil"): return make(.literal(.null), "nil")
        case .word(let name):
            guard TemplateFunctions.names.contains(name) else {
                throw error("function \(GoValue.quoted(name)) not defined")
            }
            return make(.function(name), name)
        case .leftParenthesis:
            operand = make(.pipeline(try pipeline(depth: depth + 1, until: .rightParenthesis)), "(…)")
        default: throw error("unexpected token in operand")
        }
        while let following = peek, !following.spaced, case .field(let name) = following.kind {
            index += 1
            if operand.fields.count == (operand.base == .dot ? 1 : 0) { operand.offset = following.offset }
            operand.fields.append(name)
            operand.spelling += ".\(name)"
        }
        return operand
    }
}
