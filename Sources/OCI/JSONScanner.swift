/// Walks JSON (RFC 8259) once, building nothing but the sets of keys of the objects that are open.
struct JSONScanner {
    private enum Container { case array, object }

    private let bytes: [UInt8]
    private var at = 0
    private var open: [Container] = []
    /// Of the objects that are open: beside them, so that a set grows where it is and is not copied for each key.
    private var keys: [Set<[UInt8]>] = []
    private var keyCount = 0
    private var valueCount = 0

    init(_ bytes: [UInt8]) { self.bytes = bytes }

    mutating func run() throws(JSONFault) {
        repeat {
            try value()
            try closeFinished()
        } while !open.isEmpty
        skipSpace()
        if at != bytes.count { throw .syntax(offset: at) }
    }

    private var byte: UInt8? { at < bytes.count ? bytes[at] : nil }

    private mutating func skipSpace() {
        while let next = byte, next == 0x20 || next == 0x0a || next == 0x0d || next == 0x09 { at += 1 }
    }

    private mutating func take(_ wanted: Unicode.Scalar) -> Bool {
        skipSpace()
        guard byte == UInt8(ascii: wanted) else { return false }
        at += 1
        return true
    }

    /// One scalar, or the opening of containers down to a scalar or an empty container.
    private mutating func value() throws(JSONFault) {
        while true {
            valueCount += 1
            guard valueCount <= BoundedJSON.maximumValues else {
                throw .tooManyValues(limit: BoundedJSON.maximumValues)
            }
            if take("[") {
                try push(.array)
                if take("]") { return pop() }
            } else if take("{") {
                try push(.object)
                if take("}") { return pop() }
                try key()
            } else {
                return try scalar()
            }
        }
    }

    /// Behind a value: a comma and perhaps a key, or the ends of all containers that it completed.
    private mutating func closeFinished() throws(JSONFault) {
        while let container = open.last {
            if take(",") {
                if container == .object { try key() }
                return
            }
            switch container {
            case .array: guard take("]") else { throw .syntax(offset: at) }
            case .object: guard take("}") else { throw .syntax(offset: at) }
            }
            pop()
        }
    }

    private mutating func push(_ container: Container) throws(JSONFault) {
        guard open.count < BoundedJSON.maximumDepth else { throw .tooDeep(limit: BoundedJSON.maximumDepth) }
        open.append(container)
        if container == .object { keys.append([]) }
    }

    private mutating func pop() {
        if open.removeLast() == .object { keys.removeLast() }
    }

    private mutating func key() throws(JSONFault) {
        skipSpace()
        let name = try string()
        guard take(":") else { throw .syntax(offset: at) }
        keyCount += 1
        guard keyCount <= BoundedJSON.maximumKeys else { throw .tooManyKeys(limit: BoundedJSON.maximumKeys) }
        if !keys[keys.count - 1].insert(name).inserted { throw .duplicateKey(String(decoding: name, as: UTF8.self)) }
    }

    private mutating func scalar() throws(JSONFault) {
        switch byte {
        case UInt8(ascii: "\"")?: try skipString()
        case UInt8(ascii: "t")?: try word("true")
        case UInt8(ascii: "f")?: try word("false")
        case UInt8(ascii: "n")?: try word("null")
        default: try number()
        }
    }

    private mutating func word(_ text: String) throws(JSONFault) {
        guard bytes[at...].starts(with: text.utf8) else { throw .syntax(offset: at) }
        at += text.utf8.count
    }

    /// The decoder looks at no value that it does not need: whatever is wrong with one must be said here, or a later
    /// reader would stumble over it.
    private mutating func number() throws(JSONFault) {
        let start = at
        if byte == UInt8(ascii: "-") { at += 1 }
        if byte == UInt8(ascii: "0") { at += 1 } else { try digits() }
        if byte == UInt8(ascii: ".") {
            at += 1
            try digits()
        }
        if byte == UInt8(ascii: "e") || byte == UInt8(ascii: "E") {
            at += 1
            if byte == UInt8(ascii: "+") || byte == UInt8(ascii: "-") { at += 1 }
            try digits()
        }
        guard at - start <= 64 else { throw .syntax(offset: start) }
    }

    private mutating func digits() throws(JSONFault) {
        let start = at
        while let next = byte, (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(next) { at += 1 }
        guard at > start else { throw .syntax(offset: at) }
    }

    private mutating func skipString() throws(JSONFault) {
        at += 1
        while let next = byte {
            guard next >= 0x20 else { throw .syntax(offset: at) }
            at += 1
            if next == UInt8(ascii: "\"") { return }
            if next == UInt8(ascii: "\\") { try skipEscape() }
        }
        throw .syntax(offset: bytes.count)
    }

    /// Behind the backslash.
    private mutating func skipEscape() throws(JSONFault) {
        guard let kind = byte else { throw .syntax(offset: at) }
        at += 1
        if JSONScanner.escapes[kind] != nil { return }
        guard kind == UInt8(ascii: "u"), bytes.count - at >= 4,
            bytes[at..<(at + 4)].allSatisfy({ Character(Unicode.Scalar($0)).isHexDigit })
        else { throw .syntax(offset: at - 1) }
        at += 4
    }

    /// A string with its escapes resolved, as UTF-8: `"\u006cayers"` and `"layers"` are one key.
    private mutating func string() throws(JSONFault) -> [UInt8] {
        guard byte == UInt8(ascii: "\"") else { throw .syntax(offset: at) }
        let start = at + 1
        try skipString()
        let raw = bytes[start..<(at - 1)]
        guard raw.contains(UInt8(ascii: "\\")) else { return Array(raw) }
        var result: [UInt8] = []
        var index = start
        var units: [UInt16] = []
        func flush() {
            result.append(contentsOf: String(decoding: units, as: UTF16.self).utf8)
            units = []
        }
        while index < raw.endIndex {
            guard raw[index] == UInt8(ascii: "\\") else {
                flush()
                result.append(raw[index])
                index += 1
                continue
            }
            guard index + 1 < raw.endIndex else { throw .syntax(offset: index) }
            if raw[index + 1] == UInt8(ascii: "u") {
                guard index + 6 <= raw.endIndex,
                    let unit = UInt16(String(decoding: raw[(index + 2)..<(index + 6)], as: UTF8.self), radix: 16)
                else { throw .syntax(offset: index) }
                units.append(unit)
                index += 6
            } else {
                flush()
                guard let plain = JSONScanner.escapes[raw[index + 1]] else { throw .syntax(offset: index) }
                result.append(plain)
                index += 2
            }
        }
        flush()
        return result
    }

    private static let escapes: [UInt8: UInt8] = [
        UInt8(ascii: "\""): UInt8(ascii: "\""), UInt8(ascii: "\\"): UInt8(ascii: "\\"),
        UInt8(ascii: "/"): UInt8(ascii: "/"), UInt8(ascii: "b"): 8, UInt8(ascii: "f"): 12, UInt8(ascii: "n"): 10,
        UInt8(ascii: "r"): 13, UInt8(ascii: "t"): 9,
    ]
}
