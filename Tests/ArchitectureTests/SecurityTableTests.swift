import Sys
import TestSupport
import Testing

/// SECURITY.md says which test shows each defence; a table that nobody compares with the tests is wrong within a month.
@Suite struct SecurityTableTests {
    /// The rows that the main path answers for; what belongs to verbs that do not exist yet is listed below the tables.
    private static let rows: Set<String> = [
        numbered("U", 1...18), numbered("P", 1...9), numbered("P", 11...13), numbered("R", 1...22),
        numbered("X", 1...7), numbered("X", 9...12), numbered("D", 1...1),
        numbered("F", 1...4), ["F7", "F8", "F12", "F13", "F20", "F21"],
    ].reduce(into: []) { $0.formUnion($1) }

    private static func numbered(_ letter: String, _ numbers: ClosedRange<Int>) -> Set<String> {
        Set(numbers.map { "\(letter)\($0)" })
    }

    @Test func everyRowIsThere() throws {
        let listed = Set(try SecurityTable.read().map(\.row))
        #expect(SecurityTableTests.rows.subtracting(listed).isEmpty)
    }

    @Test func theTestsOfARowAreThoseThatCarryItsName() throws {
        let named = try NamedTest.all()
        for line in try SecurityTable.read() {
            let carrying = Set(named.filter { $0.rows.contains(line.row) }.map(\.name))
            #expect(!carrying.isEmpty, "\(line.row) has no test")
            #expect(line.tests == carrying, "\(line.row)")
        }
    }

    @Test func everyNamedTestIsListed() throws {
        let listed = Set(try SecurityTable.read().map(\.row))
        for test in try NamedTest.all() {
            #expect(test.rows.subtracting(listed).isEmpty, "\(test.name) is for rows that SECURITY.md does not have")
        }
    }

    @Test func aNameIsTakenApart() {
        #expect(NamedTest.rows(of: "U1: names stay inside") == ["U1"])
        #expect(NamedTest.rows(of: "U2, U13, F8: several") == ["U2", "U13", "F8"])
        #expect(NamedTest.rows(of: "a sentence: with a colon").isEmpty)
        #expect(NamedTest.rows(of: "R1 without a colon").isEmpty)
    }
}

/// A line of SECURITY.md's tables: `| ROW | threat | defence | tests |`.
private struct SecurityTable {
    let row: String
    let tests: Set<String>

    static func read() throws -> [SecurityTable] {
        let text = String(decoding: try File.readAll("\(PackageTree.root)/SECURITY.md"), as: UTF8.self)
        return text.split(separator: "\n").compactMap { line in
            let cells = line.split(separator: "|").map { $0.trimmed }
            guard cells.count == 4, NamedTest.isRow(cells[0]) else { return nil }
            // Every second piece of what backquotes part is a name.
            let pieces = cells[3].split(separator: "`", omittingEmptySubsequences: false)
            let names = pieces.enumerated().filter { $0.offset % 2 == 1 }.map { String($0.element) }
            return SecurityTable(row: cells[0], tests: Set(names))
        }
    }
}

/// A test whose display name begins with rows: `@Test("U1, U2: …") func name()` in `Suite` is `Suite.name`.
private struct NamedTest {
    let name: String
    let rows: Set<String>

    static func all() throws -> [NamedTest] {
        try SourceFile.all(below: "Tests").flatMap(tests)
    }

    private static func tests(of file: SourceFile) -> [NamedTest] {
        var suite = ""
        var pending: Set<String> = []
        var result: [NamedTest] = []
        for (number, line) in file.lines.enumerated() {
            if let type = declared(line, ["struct", "class", "extension"]), !line.hasPrefix(" ") { suite = type }
            if line.trimmed.hasPrefix("//") { continue }
            if line.contains("@Test(") {
                // The display name stands behind the parenthesis or opens the next line.
                let behind = line.split(separator: "@Test(", maxSplits: 1, omittingEmptySubsequences: false)[1]
                let next = number + 1 < file.lines.count ? file.lines[number + 1] : ""
                pending = rows(of: quoted(behind.trimmed.isEmpty ? next.trimmed : behind.trimmed))
            }
            if let function = declared(line, ["func"]) {
                if !pending.isEmpty { result.append(NamedTest(name: "\(suite).\(function)", rows: pending)) }
                pending = []
            }
        }
        return result
    }

    private static func quoted(_ text: String) -> String {
        text.hasPrefix("\"") ? String(text.dropFirst().prefix { $0 != "\"" }) : ""
    }

    /// The name behind one of the words.
    private static func declared(_ line: String, _ words: Set<String>) -> String? {
        let parts = line.split { $0 == " " }
        guard let position = parts.firstIndex(where: { words.contains(String($0)) }), position + 1 < parts.count
        else { return nil }
        return String(parts[position + 1].prefix { $0.isLetter || $0.isNumber || $0 == "_" })
    }

    static func rows(of display: String) -> Set<String> {
        guard let colon = display.firstIndex(of: ":") else { return [] }
        let parts = display[..<colon].split(separator: ",").map { $0.trimmed }
        return parts.allSatisfy(isRow) ? Set(parts) : []
    }

    static func isRow(_ text: String) -> Bool {
        guard let letter = text.first, "UPRXCDFNTZ".contains(letter) else { return false }
        let number = text.dropFirst()
        return !number.isEmpty && number.count <= 2 && number.allSatisfy(\.isNumber)
    }
}

extension StringProtocol {
    fileprivate var trimmed: String {
        String(drop { $0 == " " }.reversed().drop { $0 == " " }.reversed())
    }
}
