/// A parsed template, applied to values.
package struct Template: Sendable {
    private let nodes: [TemplateNode]
    private let newlines: [Int]
    /// The names of all fields in it.
    let fields: Set<String>

    /// Whether functions change text or leave it, as docker has it for the header of a table.
    /// `inspection`: an unknown field is said to be a missing key, as docker does after its second attempt.
    package enum Mode: Sendable { case values, header, inspection }

    package init(_ text: String) throws(TemplateError) {
        let tokens = try TemplateLexer.tokens(text)
        nodes = try TemplateParser.parse(tokens, text)
        fields = Set(tokens.compactMap { if case .field(let name) = $0.kind { name } else { nil } })
        newlines = text.utf8.enumerated().filter { $0.element == 10 }.map(\.offset)
    }

    package func render(_ value: TemplateValue, mode: Mode = .values) throws(TemplateError) -> String {
        var evaluator = Evaluator(mode: mode, newlines: newlines, root: value)
        try evaluator.run(nodes, value)
        return evaluator.output
    }

    private struct Evaluator {
        let mode: Mode
        let newlines: [Int]
        var output = ""
        var variables: [(name: String, value: TemplateValue)]

        init(mode: Mode, newlines: [Int], root: TemplateValue) {
            self.mode = mode
            self.newlines = newlines
            variables = [("$", root)]
        }

        /// How nodes ended: through, or at a `{{break}}` or `{{continue}}` of the loop around them.
        enum Flow { case through, next, end }

        @discardableResult
        mutating func run(_ nodes: [TemplateNode], _ dot: TemplateValue) throws(TemplateError) -> Flow {
            for node in nodes {
                var flow = Flow.through
                switch node {
                case .text(let text): output += text
                case .action(let pipeline):
                    let value = try evaluate(pipeline, dot)
                    if pipeline.variables.isEmpty { output += value.text }
                case .condition(let pipeline, let then, let otherwise):
                    let scope = variables.count
                    flow = try run(try evaluate(pipeline, dot).isTrue ? then : otherwise, dot)
                    variables.removeLast(variables.count - scope)
                case .with(let pipeline, let then, let otherwise):
                    let scope = variables.count
                    let value = try evaluate(pipeline, dot)
                    flow = try run(value.isTrue ? then : otherwise, value.isTrue ? value : dot)
                    variables.removeLast(variables.count - scope)
                case .range(let pipeline, let body, let otherwise): flow = try range(pipeline, body, otherwise, dot)
                case .leave(let ends): return ends ? .end : .next
                }
                if flow != .through { return flow }
            }
            return .through
        }

        private mutating func range(
            _ pipeline: TemplatePipeline, _ body: [TemplateNode], _ otherwise: [TemplateNode], _ dot: TemplateValue
        ) throws(TemplateError) -> Flow {
            var quiet = pipeline
            quiet.variables = []
            let value = try evaluate(quiet, dot)
            let entries: [(TemplateValue, TemplateValue)]
            switch value {
            case .list(let values): entries = values.enumerated().map { (.int(Int64($0.offset)), $0.element) }
            case .map(let map): entries = map.sorted { $0.key < $1.key }.map { (.string($0.key), $0.value) }
            case .null, .noValue, .nullList, .nullMap: entries = []
            case .int(let count):
                // A template is the user's own, but memory is the machine's.
                entries = (0..<max(0, min(count, 65_536))).map { (.int($0), .int($0)) }
            default: throw failure(pipeline.commands.first?.first, "range can't iterate over \(value.text)")
            }
            if entries.isEmpty { return try run(otherwise, dot) }
            for (key, element) in entries {
                let scope = variables.count
                if pipeline.variables.count == 2 { variables.append((pipeline.variables[0], key)) }
                if let name = pipeline.variables.last { variables.append((name, element)) }
                let flow = try run(body, element)
                variables.removeLast(variables.count - scope)
                if flow == .end { break }
            }
            return .through
        }

        private mutating func evaluate(
            _ pipeline: TemplatePipeline, _ dot: TemplateValue
        ) throws(TemplateError) -> TemplateValue {
            var result: TemplateValue?
            for command in pipeline.commands { result = try call(command, piped: result, dot) }
            let value = result ?? .null
            if let name = pipeline.variables.last {
                if pipeline.declares {
                    variables.append((name, value))
                } else if let index = variables.lastIndex(where: { $0.name == name }) {
                    variables[index].value = value
                } else {
                    throw failure(pipeline.commands.first?.first, "undefined variable: \(name)")
                }
            }
            return value
        }

        private mutating func call(
            _ command: [TemplateOperand], piped: TemplateValue?, _ dot: TemplateValue
        ) throws(TemplateError) -> TemplateValue {
            guard let head = command.first else { return .null }
            guard case .function(let name) = head.base else {
                return try plain(command, head, piped, dot)
            }
            if name == "and" || name == "or" { return try logic(name, command.dropFirst(), piped, dot) }
            var arguments: [TemplateValue] = []
            for operand in command.dropFirst() { arguments.append(try value(operand, dot)) }
            if let piped { arguments.append(piped) }
            if let wanted = TemplateFunctions.mismatch(name, arguments.count) {
                throw failure(head, "wrong number of args for \(name): want \(wanted) got \(arguments.count)")
            }
            do throws(TemplateFunctions.Problem) {
                return try TemplateFunctions.call(name, arguments, mode)
            } catch {
                var whole = head
                whole.spelling = command.map(\.spelling).joined(separator: " ")
                throw failure(whole, "error calling \(name): \(error.message)")
            }
        }

        /// A command that begins with a value: nothing may follow but the argument of a method.
        private mutating func plain(
            _ command: [TemplateOperand], _ head: TemplateOperand, _ piped: TemplateValue?, _ dot: TemplateValue
        ) throws(TemplateError) -> TemplateValue {
            let found = try value(head, dot)
            if case .method(let method) = found, let name = head.fields.last {
                var arguments: [TemplateValue] = []
                for operand in command.dropFirst() { arguments.append(try value(operand, dot)) }
                if let piped { arguments.append(piped) }
                guard arguments.count == 1, case .string(let text) = arguments[0] else {
                    throw failure(head, "wrong number of args for \(name): want 1 got \(arguments.count)")
                }
                return method.call(text)
            }
            if command.count == 1, piped == nil { return found }
            if let name = head.fields.last { throw failure(head, "\(name) is not a method but has arguments") }
            throw failure(head, "can't give argument to non-function \(head.spelling)")
        }

        /// `and` and `or` stop at the value that decides.
        private mutating func logic(
            _ name: String, _ operands: ArraySlice<TemplateOperand>, _ piped: TemplateValue?, _ dot: TemplateValue
        ) throws(TemplateError) -> TemplateValue {
            var last = TemplateValue.null
            for operand in operands {
                last = try value(operand, dot)
                if last.isTrue == (name == "or") { return last }
            }
            return piped ?? last
        }

        private mutating func value(
            _ operand: TemplateOperand, _ dot: TemplateValue
        ) throws(TemplateError) -> TemplateValue {
            var result: TemplateValue
            switch operand.base {
            case .dot: result = dot
            case .literal(let value): return value
            case .pipeline(let pipeline): result = try evaluate(pipeline, dot)
            case .function:
                result = try call(
                    [TemplateOperand(base: operand.base, offset: operand.offset, spelling: operand.spelling)],
                    piped: nil, dot)
            case .variable(let name):
                guard let found = variables.last(where: { $0.name == name }) else {
                    throw failure(operand, "undefined variable: \(name)")
                }
                result = found.value
            }
            for (index, field) in operand.fields.enumerated() {
                if result == .null || result == .noValue {
                    throw failure(operand, "nil pointer evaluating interface {}.\(field)")
                }
                let isLast = index == operand.fields.count - 1
                if mode == .inspection, let problem = result.obstacle(to: field, isLast: isLast) {
                    throw failure(operand, problem)
                }
                guard let next = result.member(field) else {
                    throw failure(operand, "can't evaluate field \(field) in type \(typeName(result))")
                }
                result = next
            }
            return result
        }

        private func typeName(_ value: TemplateValue) -> String {
            switch value {
            case .null, .noValue: "nil"
            case .method: "func"
            case .bool: "bool"
            case .int: "int64"
            case .string: "string"
            case .list, .nullList: "list"
            case .record, .row, .map, .nullMap: "object"
            }
        }

        private func failure(_ operand: TemplateOperand?, _ message: String) -> TemplateError {
            let offset = operand?.offset ?? 0
            let start = newlines.last { $0 < offset }.map { $0 + 1 } ?? 0
            return .execute(
                line: 1 + newlines.count { $0 < offset }, column: offset - start, at: operand?.spelling ?? "", message)
        }
    }
}
