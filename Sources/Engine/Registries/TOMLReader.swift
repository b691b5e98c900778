/// Reads TOML strictly: tables, arrays of tables, dotted and quoted keys, strings on one line, booleans, integers, arrays
/// and inline tables. Dates, fractions and strings of several lines are refused by name.
struct TOMLReader {
    private let bytes: [UInt8]
    private let newlines: [Int]
    private var at = 0
    private var root = TOMLTable()
    /// The path of the table that keys go to.
    private var current: [String] = []

    private static let depth = 32

    private init(_ bytes: [UInt8]) {
        self.bytes = bytes
        newlines = bytes.indices.filter { bytes[$0] == UInt8(ascii: "\n") }
    }

    static func read(_ bytes: [UInt8]) throws(TOMLFault) -> TOMLTable {
        guard String(validating: bytes, as: UTF8.self) != nil else {
            throw TOMLFault(line: 1, column: 1, reason: "no UTF-8")
        }
        var reader = TOMLReader(bytes)
        if bytes.starts(with: [0xef, 0xbb, 0xbf]) { reader.at = 3 }
        try reader.document()
        return reader.root
    }

    private mutating func document() throws(TOMLFault) {
        while true {
            skipBlankLines()
            guard let byte = peek else { return }
            if byte == UInt8(ascii: "[") { try header() } else { try pair() }
            skipBlanks()
            skipComment()
            guard peek == nil || peek == UInt8(ascii: "\n") else { throw fault("something behind the value") }
        }
    }

    // MARK: Tables

    private mutating func header() throws(TOMLFault) {
        let start = at
        at += 1
        let isArray = take("[")
        skipBlanks()
        let path = try keys()
        skipBlanks()
        guard take("]"), !isArray || take("]") else { throw fault("want ] behind the name of a table") }
        let line = line(of: start)
        let failure = TOMLReader.change(&root, path[...]) { parent, key in
            if isArray { return TOMLReader.append(&parent, key, line) }
            return TOMLReader.define(&parent, key, line)
        }
        if let failure { throw fault(failure, at: start) }
        current = path
    }

    private static func append(_ parent: inout TOMLTable, _ key: String, _ line: Int) -> String? {
        var table = TOMLTable()
        table.isDefined = true
        let element = TOMLValue(kind: .table(table), line: line)
        guard let index = parent.entries.firstIndex(where: { $0.key == key }) else {
            parent.entries.append((key, TOMLValue(kind: .array([element]), line: line)))
            return nil
        }
        guard case .array(let elements) = parent.entries[index].value.kind, elements.last?.table?.isDefined == true
        else { return "\(key) is no array of tables" }
        parent.entries[index].value.kind = .array(elements + [element])
        return nil
    }

    private static func define(_ parent: inout TOMLTable, _ key: String, _ line: Int) -> String? {
        guard let index = parent.entries.firstIndex(where: { $0.key == key }) else {
            var table = TOMLTable()
            table.isDefined = true
            parent.entries.append((key, TOMLValue(kind: .table(table), line: line)))
            return nil
        }
        guard case .table(var table) = parent.entries[index].value.kind, !table.isDefined, !table.isClosed else {
            return "\(key) is there already"
        }
        table.isDefined = true
        parent.entries[index].value = TOMLValue(kind: .table(table), line: line)
        return nil
    }

    /// Calls `body` with the table that holds the last key of `path`; what is missing on the way is made. Of an array of
    /// tables the last is meant.
    private static func change(
        _ table: inout TOMLTable, _ path: ArraySlice<String>, _ body: (inout TOMLTable, String) -> String?
    ) -> String? {
        guard let key = path.first else { return "no key" }
        if path.count == 1 { return body(&table, key) }
        if table[key] == nil { table.entries.append((key, TOMLValue(kind: .table(TOMLTable()), line: 0))) }
        guard let index = table.entries.firstIndex(where: { $0.key == key }) else { return nil }
        switch table.entries[index].value.kind {
        case .table(var inner) where !inner.isClosed:
            let failure = change(&inner, path.dropFirst(), body)
            table.entries[index].value.kind = .table(inner)
            return failure
        case .array(var elements):
            guard case .table(var inner)? = elements.last?.kind, inner.isDefined else { return "\(key) is no table" }
            let failure = change(&inner, path.dropFirst(), body)
            elements[elements.count - 1].kind = .table(inner)
            table.entries[index].value.kind = .array(elements)
            return failure
        default: return "\(key) is no table"
        }
    }

    private mutating func pair() throws(TOMLFault) {
        let start = at
        let (path, value) = try assignment(0)
        let failure = TOMLReader.change(&root, (current + path)[...]) { table, key in
            if table[key] != nil { return "\(key) is there already" }
            table.entries.append((key, value))
            return nil
        }
        if let failure { throw fault(failure, at: start) }
    }

    private mutating func assignment(_ depth: Int) throws(TOMLFault) -> ([String], TOMLValue) {
        let path = try keys()
        skipBlanks()
        guard take("=") else { throw fault("want = behind a key") }
        skipBlanks()
        return (path, try value(depth))
    }

    private mutating func keys() throws(TOMLFault) -> [String] {
        var path: [String] = []
        repeat {
            skipBlanks()
            path.append(try key())
            guard path.count <= TOMLReader.depth else { throw fault("nested too deeply") }
            skipBlanks()
        } while take(".")
        return path
    }

    private mutating func key() throws(TOMLFault) -> String {
        if peek == UInt8(ascii: "\"") || peek == UInt8(ascii: "'") { return try string() }
        let start = at
        while let byte = peek, TOMLReader.isBare(byte) { at += 1 }
        guard at > start else { throw fault("want a key") }
        return String(decoding: bytes[start..<at], as: UTF8.self)
    }

    private static func isBare(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "_"):
            true
        default: false
        }
    }

    // MARK: Values

    private mutating func value(_ depth: Int) throws(TOMLFault) -> TOMLValue {
        guard depth < TOMLReader.depth else { throw fault("nested too deeply") }
        let line = line(of: at)
        switch peek {
        case UInt8(ascii: "\""), UInt8(ascii: "'"): return TOMLValue(kind: .string(try string()), line: line)
        case UInt8(ascii: "["): return TOMLValue(kind: .array(try array(depth)), line: line)
        case UInt8(ascii: "{"): return TOMLValue(kind: .table(try inlineTable(depth)), line: line)
        default: break
        }
        let start = at
        while let byte = peek,
            TOMLReader.isBare(byte) || byte == UInt8(ascii: "+") || byte == UInt8(ascii: ".")
                || byte == UInt8(ascii: ":")
        { at += 1 }
        switch String(decoding: bytes[start..<at], as: UTF8.self) {
        case "true": return TOMLValue(kind: .boolean(true), line: line)
        case "false": return TOMLValue(kind: .boolean(false), line: line)
        case "": throw fault("want a value")
        case let word:
            guard let number = Int64(word) else {
                throw fault("\(word): want a string in quotes, true, false, an integer, a list or a table", at: start)
            }
            return TOMLValue(kind: .integer(number), line: line)
        }
    }

    private mutating func array(_ depth: Int) throws(TOMLFault) -> [TOMLValue] {
        at += 1
        var values: [TOMLValue] = []
        while true {
            skipBlankLines()
            if take("]") { return values }
            values.append(try value(depth + 1))
            skipBlankLines()
            if take(",") { continue }
            guard take("]") else { throw fault("want , or ] in a list") }
            return values
        }
    }

    private mutating func inlineTable(_ depth: Int) throws(TOMLFault) -> TOMLTable {
        at += 1
        var table = TOMLTable()
        skipBlanks()
        while !take("}") {
            if !table.entries.isEmpty, !take(",") { throw fault("want , or } in a table") }
            skipBlanks()
            let start = at
            let (path, value) = try assignment(depth + 1)
            guard path.count == 1, table[path[0]] == nil else { throw fault("a key that is there already", at: start) }
            table.entries.append((path[0], value))
            skipBlanks()
        }
        table.isClosed = true
        return table
    }

    private mutating func string() throws(TOMLFault) -> String {
        let start = at
        let quote = bytes[at]
        if bytes[at...].starts(with: [quote, quote, quote]) {
            throw fault("strings of several lines are not read here")
        }
        at += 1
        var result: [UInt8] = []
        while let byte = peek, byte != UInt8(ascii: "\n") {
            at += 1
            if byte == quote { return String(decoding: result, as: UTF8.self) }
            if byte == UInt8(ascii: "\\"), quote == UInt8(ascii: "\"") {
                try result.append(contentsOf: escape())
            } else {
                guard byte >= 0x20 && byte != 0x7f || byte == 0x09 else {
                    throw fault("a control character", at: at - 1)
                }
                result.append(byte)
            }
        }
        throw fault("a string that does not end on its line", at: start)
    }

    private mutating func escape() throws(TOMLFault) -> [UInt8] {
        let start = at - 1
        guard let byte = peek else { throw fault("a string that does not end", at: start) }
        at += 1
        switch byte {
        case UInt8(ascii: "b"): return [8]
        case UInt8(ascii: "t"): return [9]
        case UInt8(ascii: "n"): return [10]
        case UInt8(ascii: "f"): return [12]
        case UInt8(ascii: "r"): return [13]
        case UInt8(ascii: "\""), UInt8(ascii: "\\"): return [byte]
        case UInt8(ascii: "u"), UInt8(ascii: "U"):
            let count = byte == UInt8(ascii: "u") ? 4 : 8
            let digits = String(decoding: bytes[at..<min(at + count, bytes.count)], as: UTF8.self)
            guard digits.utf8.count == count, digits.utf8.allSatisfy(TOMLReader.isBare),
                let number = UInt32(digits, radix: 16), let scalar = Unicode.Scalar(number)
            else { throw fault("an escape that is no character", at: start) }
            at += count
            return Array(String(Character(scalar)).utf8)
        default: throw fault("an escape that there is not", at: start)
        }
    }

    // MARK: Places

    private var peek: UInt8? { at < bytes.count ? bytes[at] : nil }

    private mutating func take(_ scalar: Unicode.Scalar) -> Bool {
        guard peek == UInt8(ascii: scalar) else { return false }
        at += 1
        return true
    }

    private mutating func skipBlanks() {
        while let byte = peek, byte == 0x20 || byte == 0x09 || byte == 0x0d { at += 1 }
    }

    private mutating func skipComment() {
        guard peek == UInt8(ascii: "#") else { return }
        while let byte = peek, byte != UInt8(ascii: "\n") { at += 1 }
    }

    private mutating func skipBlankLines() {
        while true {
            skipBlanks()
            skipComment()
            guard take("\n") else { return }
        }
    }

    private func line(of place: Int) -> Int {
        var (low, high) = (0, newlines.count)
        while low < high {
            let middle = (low + high) / 2
            if newlines[middle] < place { low = middle + 1 } else { high = middle }
        }
        return low + 1
    }

    private func fault(_ reason: String, at place: Int? = nil) -> TOMLFault {
        let place = min(place ?? at, bytes.count)
        let start = bytes[..<place].lastIndex(of: UInt8(ascii: "\n")).map { $0 + 1 } ?? 0
        let column = String(decoding: bytes[start..<place], as: UTF8.self).count + 1
        return TOMLFault(line: line(of: place), column: column, reason: reason)
    }
}
