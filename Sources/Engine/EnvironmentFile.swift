/// The contents of an `--env-file`, by docker's rules: a line is `NAME=VALUE` with everything behind `=` taken as it is
/// (no quotes, no expansion), or `NAME` to inherit; `#` starts a comment where a line starts; blanks before a name do
/// not count; a byte order mark is skipped.
package enum EnvironmentFile {
    package struct ParseError: Error, Equatable, CustomStringConvertible {
        package let file: String
        /// From 1.
        package let line: Int
        package let reason: String

        package var description: String { "\(file):\(line): \(reason)" }
    }

    /// A longer line is no environment: execve(2) takes at most 32 pages for one string.
    package static let maximumLineLength = 128 * 1024

    /// The entries in order; `file` names the source in errors.
    package static func parse(_ contents: [UInt8], file: String) throws(ParseError) -> [EnvironmentEntry] {
        var bytes = contents[...]
        if bytes.starts(with: [0xEF, 0xBB, 0xBF]) { bytes = bytes.dropFirst(3) }
        var entries: [EnvironmentEntry] = []
        var number = 0
        for line in bytes.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false) {
            number += 1
            do throws(LineError) {
                if let entry = try entry(line) { entries.append(entry) }
            } catch {
                throw ParseError(file: file, line: number, reason: error.reason)
            }
        }
        return entries
    }

    private struct LineError: Error { let reason: String }

    private static func entry(_ raw: ArraySlice<UInt8>) throws(LineError) -> EnvironmentEntry? {
        guard raw.count <= maximumLineLength else { throw LineError(reason: "line is too long") }
        var line = raw
        if line.last == UInt8(ascii: "\r") { line = line.dropLast() }
        line = line.drop { isBlank($0) }
        guard let first = line.first, first != UInt8(ascii: "#") else { return nil }
        guard String(validating: line, as: UTF8.self) != nil else { throw LineError(reason: "invalid UTF-8") }
        guard !line.contains(0) else { throw LineError(reason: "NUL byte") }
        let equals = line.firstIndex(of: UInt8(ascii: "="))
        let name = text(line[..<(equals ?? line.endIndex)])
        guard !name.isEmpty else { throw LineError(reason: "no variable name on line '\(text(line))'") }
        guard !name.utf8.contains(where: isBlank) else {
            throw LineError(reason: "variable '\(name)' contains whitespaces")
        }
        guard let equals else { return EnvironmentEntry(name: name, value: nil) }
        return EnvironmentEntry(name: name, value: text(line[(equals + 1)...]))
    }

    private static func text(_ bytes: ArraySlice<UInt8>) -> String { String(decoding: bytes, as: UTF8.self) }

    private static func isBlank(_ byte: UInt8) -> Bool { byte == 0x20 || (0x09...0x0D).contains(byte) }
}
