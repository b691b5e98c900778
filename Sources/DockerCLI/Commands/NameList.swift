internal import Sys

/// Names in a file, one a line; `#` at the beginning of a line or behind a blank begins a comment.
enum NameList {
    struct Entry: Hashable {
        var name: String
        /// `FILE:LINE`; nil for an argument.
        var origin: String?
    }

    private static let limit = 1 << 20

    /// `-` is standard input.
    static func read(_ file: String, _ context: CommandContext) throws(CommandError) -> [Entry] {
        if file == "-" {
            var lines: [String] = []
            while let line = context.readLine() { lines.append(line) }
            return entries(lines, origin: "standard input")
        }
        do throws(Errno) {
            let text = String(decoding: try File.readAll(file, limit: limit), as: UTF8.self)
            let lines = text.split(separator: "\n", omittingEmptySubsequences: false)
            return entries(lines.map(String.init), origin: Names.printable(file))
        } catch {
            throw .failed("read the list \(Names.printable(file)): \(error)", code: 1)
        }
    }

    static func entries(_ lines: [String], origin: String) -> [Entry] {
        lines.enumerated().compactMap { number, line in
            let name = content(line)
            return name.isEmpty ? nil : Entry(name: name, origin: "\(origin):\(number + 1)")
        }
    }

    private static func content(_ line: String) -> String {
        let blanks: Set<UInt8> = [UInt8(ascii: " "), UInt8(ascii: "\t"), UInt8(ascii: "\r")]
        var bytes: [UInt8] = []
        for byte in line.utf8 {
            if byte == UInt8(ascii: "#"), bytes.last.map(blanks.contains) ?? true { break }
            if bytes.isEmpty, blanks.contains(byte) { continue }
            bytes.append(byte)
        }
        while let last = bytes.last, blanks.contains(last) { bytes.removeLast() }
        return String(decoding: bytes, as: UTF8.self)
    }
}
