internal import OCI
internal import OCIRuntime
internal import Sys

extension Command {
    static let state = Command(
        name: "state", arguments: "ID", summary: "Print the state of a container as JSON", options: [], count: 1...1
    ) { (line, session) throws(CommandFault) in
        let (state, status) = try session.call { (runtime) throws(ContainerError) in
            try runtime.inspect(line.positionals[0])
        }
        session.output(state.report(status).indentedText + "\n")
        return 0
    }

    static let list = Command(
        name: "list", arguments: "", summary: "List the containers",
        options: [
            Option("format", short: "f", value: "table|json", "how"), Option("quiet", short: "q", "IDs only"),
        ], count: 0...0
    ) { (line, session) throws(CommandFault) in
        let all = try session.call { (runtime) throws(ContainerError) in try runtime.all() }
        if try line.isOn("quiet") {
            session.output(all.map { "\($0.state.id)\n" }.joined())
            return 0
        }
        switch line["format"] ?? "table" {
        case "json":
            session.output(JSONValue.array(all.map { $0.state.report($0.status) }).text + "\n")
        case "table":
            let rows = all.map { state, status in
                let report = state.report(status)
                return [
                    state.id, "\(report["pid"]?.integer ?? 0)", status.rawValue, state.bundle, state.created,
                    report["owner"]?.string ?? "",
                ]
            }
            session.output(TextTable.text([["ID", "PID", "STATUS", "BUNDLE", "CREATED", "OWNER"]] + rows))
        case let format: throw .usage("invalid format \(format): neither table nor json")
        }
        return 0
    }
}

/// Columns as wide as their widest cell.
enum TextTable {
    static func text(_ rows: [[String]]) -> String {
        var widths: [Int] = []
        for row in rows {
            for (index, cell) in row.enumerated() {
                if index == widths.count { widths.append(0) }
                widths[index] = max(widths[index], cell.count)
            }
        }
        return rows.map { row in
            let cells = row.enumerated().map { index, cell in
                index == row.count - 1 ? cell : cell + String(repeating: " ", count: widths[index] - cell.count + 3)
            }
            return cells.joined() + "\n"
        }.joined()
    }
}
