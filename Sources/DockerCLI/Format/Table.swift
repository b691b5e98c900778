/// Rows of tab-separated cells in aligned columns, as Go's text/tabwriter lays them out for docker: at least `minimum`
/// columns a cell, three blanks between, the last cell of a row as it is.
package enum Table {
    private static let padding = 3

    package static func render(_ lines: [String], minimum: Int = 10) -> String {
        var rows = lines.map { $0.pieces("\t") }
        let columns = (rows.map(\.count).max() ?? 1) - 1
        for column in 0..<max(0, columns) { align(column, &rows, minimum) }
        return rows.map { $0.joined() + "\n" }.joined()
    }

    /// A width holds for a run of rows that have the column: a row with fewer cells ends the run.
    private static func align(_ column: Int, _ rows: inout [[String]], _ minimum: Int) {
        var start = 0
        while start < rows.count {
            guard rows[start].count > column + 1 else {
                start += 1
                continue
            }
            let end = rows[start...].firstIndex { $0.count <= column + 1 } ?? rows.count
            let longest = rows[start..<end].map { $0[column].unicodeScalars.count }.max() ?? 0
            let width = max(minimum, longest + padding)
            for row in start..<end {
                let blanks = width - rows[row][column].unicodeScalars.count
                rows[row][column] += String(repeating: " ", count: blanks)
            }
            start = end
        }
    }
}
