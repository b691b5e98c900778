/// A JSON document of somebody's that is changed at one place: all other bytes stay as they are, with their order, blanks
/// and unknown keys.
package struct JSONEditing: Sendable {
    package private(set) var bytes: [UInt8]

    /// Takes an object; an empty text is one without members.
    package init(_ text: [UInt8]) throws(JSONFault) {
        bytes = text.allSatisfy({ JSONEditing.isBlank($0) }) ? Array("{}".utf8) : text
        try BoundedJSON.scan(bytes)
        guard bytes.first(where: { !JSONEditing.isBlank($0) }) == UInt8(ascii: "{") else {
            throw .value(path: "", reason: "is not an object")
        }
    }

    /// The keys of the object that is the value of `key`.
    package func keys(in key: String) -> [String] {
        member(key, in: root).map { members(of: $0.value.lowerBound).map(\.key) } ?? []
    }

    /// Puts an object of strings at `key` of the object `group`, in the place of what was there.
    package mutating func set(_ key: String, in group: String, _ values: [(key: String, value: String)]) {
        if let old = member(group, in: root) {
            guard bytes[old.value.lowerBound] == UInt8(ascii: "{") else {
                return replace(old.value, with: object([(key, object(values, 2))], 1))
            }
            if let entry = member(key, in: old.value.lowerBound) {
                return replace(entry.value, with: object(values, 2))
            }
            return insert(key, object(values, 2), into: old.value.lowerBound, depth: 1)
        }
        insert(group, object([(key, object(values, 2))], 1), into: root, depth: 0)
    }

    /// Takes `key` out of the object `group`.
    package mutating func remove(_ key: String, in group: String) {
        guard let object = member(group, in: root)?.value.lowerBound else { return }
        let all = members(of: object)
        guard let index = all.firstIndex(where: { $0.key == key }) else { return }
        if index > 0 {
            bytes.removeSubrange(all[index - 1].value.upperBound..<all[index].value.upperBound)
        } else if all.count > 1 {
            bytes.removeSubrange(all[0].start..<all[1].start)
        } else {
            bytes.removeSubrange((object + 1)..<end(ofValueAt: object) - 1)
        }
    }

    // MARK: Form

    private var root: Int { bytes.firstIndex { !JSONEditing.isBlank($0) } ?? 0 }

    /// One step of indentation; nil where all is on one line.
    private var unit: [UInt8]? {
        guard let first = members(of: root).first else {
            // Nobody has decided yet: as docker writes it.
            return [UInt8(ascii: "\t")]
        }
        let gap = bytes[(root + 1)..<first.start]
        guard let line = gap.lastIndex(of: UInt8(ascii: "\n")) else { return nil }
        return Array(gap[(line + 1)...])
    }

    private func lineBreak(_ depth: Int) -> [UInt8] {
        guard let unit else { return [] }
        return [UInt8(ascii: "\n")] + (0..<depth).flatMap { _ in unit }
    }

    private var colon: [UInt8] { Array((unit == nil ? ":" : ": ").utf8) }

    /// `depth` is that of the object itself.
    private func object(_ members: [(key: String, value: [UInt8])], _ depth: Int) -> [UInt8] {
        if members.isEmpty { return Array("{}".utf8) }
        let lines = members.map { lineBreak(depth + 1) + JSONEditing.quoted($0.key) + colon + $0.value }
        return Array("{".utf8) + Array(lines.joined(separator: [UInt8(ascii: ",")])) + lineBreak(depth)
            + Array("}".utf8)
    }

    private func object(_ members: [(key: String, value: String)], _ depth: Int) -> [UInt8] {
        object(members.map { ($0.key, JSONEditing.quoted($0.value)) }, depth)
    }

    private mutating func insert(_ key: String, _ value: [UInt8], into object: Int, depth: Int) {
        let all = members(of: object)
        let member = JSONEditing.quoted(key) + colon + value
        guard let last = all.last else {
            let inside = (object + 1)..<end(ofValueAt: object) - 1
            return replace(inside, with: lineBreak(depth + 1) + member + lineBreak(depth))
        }
        // As the member before it stands.
        let before = all.count > 1 ? all[all.count - 2].value.upperBound : object + 1
        let gap = bytes[before..<last.start].filter { JSONEditing.isBlank($0) }
        bytes.insert(contentsOf: Array(",".utf8) + gap + member, at: last.value.upperBound)
    }

    private mutating func replace(_ range: Range<Int>, with text: [UInt8]) {
        bytes.replaceSubrange(range, with: text)
    }

    // MARK: Reading

    private struct Member {
        let key: String
        /// Of the key.
        let start: Int
        let value: Range<Int>
    }

    private func member(_ key: String, in object: Int) -> Member? { members(of: object).first { $0.key == key } }

    /// Of the object at that place; none where it is something else.
    private func members(of object: Int) -> [Member] {
        guard bytes[object] == UInt8(ascii: "{") else { return [] }
        var result: [Member] = []
        var at = skipBlanks(object + 1)
        while bytes[at] == UInt8(ascii: "\"") {
            let start = at
            let text = Array(bytes[start..<end(ofValueAt: start)])
            let value = skipBlanks(skipBlanks(start + text.count) + 1)
            let end = end(ofValueAt: value)
            let key = (try? JSONValue(parsing: text))?.string ?? ""
            result.append(Member(key: key, start: start, value: value..<end))
            at = skipBlanks(end)
            if bytes[at] == UInt8(ascii: ",") { at = skipBlanks(at + 1) }
        }
        return result
    }

    private func skipBlanks(_ start: Int) -> Int {
        var at = start
        while at < bytes.count, JSONEditing.isBlank(bytes[at]) { at += 1 }
        return at
    }

    private func end(ofValueAt start: Int) -> Int {
        var depth = 0
        var at = start
        while at < bytes.count {
            switch bytes[at] {
            case UInt8(ascii: "\""):
                at += 1
                while bytes[at] != UInt8(ascii: "\"") { at += bytes[at] == UInt8(ascii: "\\") ? 2 : 1 }
                at += 1
            case UInt8(ascii: "{"), UInt8(ascii: "["):
                depth += 1
                at += 1
            case UInt8(ascii: "}"), UInt8(ascii: "]"):
                if depth == 0 { return at }
                depth -= 1
                at += 1
            case UInt8(ascii: ","):
                if depth == 0 { return at }
                at += 1
                continue
            case let byte where depth == 0 && JSONEditing.isBlank(byte): return at
            default:
                at += 1
                continue
            }
            // Behind a string or the end of a container.
            if depth == 0 { return at }
        }
        return at
    }

    private static func isBlank(_ byte: UInt8) -> Bool { [0x20, 0x09, 0x0a, 0x0d].contains(byte) }

    static func quoted(_ text: String) -> [UInt8] {
        var bytes: [UInt8] = []
        append(quoted: text, to: &bytes)
        return bytes
    }

    /// Adds `text` as a JSON string.
    static func append(quoted text: String, to bytes: inout [UInt8]) {
        bytes.append(UInt8(ascii: "\""))
        for byte in text.utf8 {
            switch byte {
            case UInt8(ascii: "\""), UInt8(ascii: "\\"): bytes += [UInt8(ascii: "\\"), byte]
            case 0..<0x20:
                bytes += "\\u00".utf8
                bytes += [hexDigit(byte >> 4), hexDigit(byte & 15)]
            default: bytes.append(byte)
            }
        }
        bytes.append(UInt8(ascii: "\""))
    }

    private static func hexDigit(_ value: UInt8) -> UInt8 {
        value < 10 ? UInt8(ascii: "0") + value : UInt8(ascii: "a") - 10 + value
    }
}
