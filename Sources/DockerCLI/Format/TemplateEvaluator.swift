/// A parsed template, applied to values.
package struct Template: Sendable {
    private let nodes: [TemplateNode]
    private let newlines: [Int]

    /// Whether functions change text or leave it, as docker has it for the header of a table.
    package enum Mode: Sendable { case values, header }

    package init(_ text: String) throws(TemplateError) {
        nodes = try TemplateParser.parse(text)
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

        mutating func run(_ nodes: [TemplateNode], _ dot: TemplateValue) throws(TemplateError) {
            for node in nodes {
                switch node {
                case .text(let text): output += text
                case .action(let pipeline):
                    let value = try evaluate(pipeline, dot)
                    if pipeline.variables.isEmpty { output += value.text }
                case .condition(let pipeline, let then, let otherwise):
                    let scope = variables.count
                    try run(try evaluate(pipeline, dot).isTrue ? then : otherwise, dot)
                    variables.removeLast(variables.count - scope)
                case .with(let pipeline, let then, let otherwise):
                    let scope = variables.count
                    let value = try evaluate(pipeline, dot)
                    try run(value.isTrue ? then : otherwise, value.isTrue ? value : dot)
                    variables.removeLast(variables.count - scope)
                case .range(let pipeline, let body, let otherwise): try range(pipeline, body, otherwise, dot)
                }
            }
        }

        private mutating func range(
            _ pipeline: TemplatePipeline, _ body: [TemplateNode], _ otherwise: [TemplateNode], _ dot: TemplateValue
        ) throws(TemplateError) {
            var quiet = pipeline
            quiet.variables = []
            let value = try evaluate(quiet, dot)
            let entries: [(TemplateValue, TemplateValue)]
            switch value {
            case .list(let values): entries = values.enumerated().map { (.int(Int64($0.offset)), $0.element) }
            case .map(let map): entries = map.sorted { $0.key < $1.key }.map { (.string($0.key), $0.value) }
            case .null: entries = []
            default: throw failure(pipeline.commands.first?.first, "range can't iterate over \(value.text)")
            }
            if entries.isEmpty { return try run(otherwise, dot) }
            for (key, element) in entries {
                let scope = variables.count
                if pipeline.variables.count == 2 { variables.append((pipeline.variables[0], key)) }
                if let name = pipeline.variables.last { variables.append((name, element)) }
                try run(body, element)
                variables.removeLast(variables.count - scope)
            }
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
                guard command.count == 1, piped == nil else {
                    throw failure(head, "can't give argument to non-function \(head.spelling)")
                }
                return try value(head, dot)
            }
            if name == "and" || name == "or" { return try logic(name, command.dropFirst(), piped, dot) }
            var arguments: [TemplateValue] = []
            for operand in command.dropFirst() { arguments.append(try value(operand, dot)) }
            if let piped { arguments.append(piped) }
            do throws(TemplateFunctions.Problem) {
                return try TemplateFunctions.call(name, arguments, mode)
            } catch {
                throw failure(head, "error calling \(name): \(error.message)")
            }
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
            for field in operand.fields {
                if case .null = result {
                    throw failure(operand, "nil pointer evaluating interface {}.\(field)")
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
            case .null: "nil"
            case .bool: "bool"
            case .int: "int64"
            case .string: "string"
            case .list: "list"
            case .record, .row, .map: "object"
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
