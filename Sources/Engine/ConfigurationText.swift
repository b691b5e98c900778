/// A configuration file as its author sees it: lines and columns.
struct ConfigurationText {
    private let lines: [Substring]

    init(_ bytes: [UInt8]) {
        lines = String(decoding: bytes, as: UTF8.self).split(separator: "\n", omittingEmptySubsequences: false)
    }

    /// The first line, from 1 on, with this string in quotes; 1 where it is written with escapes.
    func line(of string: String) -> Int {
        (lines.firstIndex { $0.contains("\"\(string)\"") } ?? 0) + 1
    }

    /// The fault that no editor shows, a typographic quote, or the one that most languages allow, a comma before the end.
    var slip: String? {
        var isInString = false
        var comma: (line: Int, column: Int)?
        for (number, line) in lines.enumerated() {
            var isEscaped = false
            for (column, character) in line.enumerated() {
                if isInString {
                    isInString = isEscaped || character != "\""
                    isEscaped = !isEscaped && character == "\\"
                    continue
                }
                switch character {
                case "\"": (isInString, comma) = (true, nil)
                case "\u{201C}", "\u{201D}", "\u{2018}", "\u{2019}":
                    return "line \(number + 1), column \(column + 1): typographic quote; JSON wants \""
                case ",": comma = (number + 1, column + 1)
                case "}", "]":
                    if let comma {
                        return "line \(comma.line), column \(comma.column): comma before the end; JSON wants none"
                    }
                case " ", "\t", "\r": break
                default: comma = nil
                }
            }
        }
        return nil
    }
}
