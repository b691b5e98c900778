@testable internal import Engine

/// Z8: `USER[:GROUP]` in an image's passwd and group files. A number is itself and never somebody's name; a name is a
/// line that has it.
package enum UserFuzz {
    /// The user, a supplementary group, passwd and group, with NULs between.
    package static func run(_ bytes: [UInt8]) throws(Finding) {
        let parts = bytes.split(separator: 0, maxSplits: 3, omittingEmptySubsequences: false).map { Array($0) }
        let text = String(decoding: parts[0], as: UTF8.self)
        let extra = parts.count > 1 ? String(decoding: parts[1], as: UTF8.self) : ""
        let passwd = parts.count > 2 ? parts[2] : []
        let group = parts.count > 3 ? parts[3] : []
        let database = UserDatabase(passwd: passwd, group: group)
        let user: ResolvedUser
        do throws(EngineError) {
            user = try database.resolve(text, additionalGroups: extra.isEmpty ? [] : [extra])
        } catch {
            return try checkRefusal(text, extra, passwd: passwd, group: group)
        }
        let userText = String(text.unicodeScalars.prefix { $0 != ":" })
        let groupText = String(text.unicodeScalars.drop { $0 != ":" }.dropFirst())
        try check(userText, is: user.uid, in: passwd, field: 2, emptyIs: 0)
        if !groupText.isEmpty { try check(groupText, is: user.gid, in: group, field: 2, emptyIs: nil) }
        if !extra.isEmpty {
            let found = user.groups.contains { gid in
                (try? check(extra, is: gid, in: group, field: 2, emptyIs: nil)) != nil
            }
            try expect(found, "group \(extra) is not in \(user.groups)")
        }
        try expect(user.groups.first == user.gid, "\(user.gid) is not the first of \(user.groups)")
        try expect(Set(user.groups).count == user.groups.count, "a group twice in \(user.groups)")
        try expect(user.uid != .max && !user.groups.contains(.max), "an id that means none: \(user)")
        try checkHasGrounds(user, text, extra, passwd: passwd, group: group)
    }

    /// The number that a text is, by its value: nil when it is none, `.max` when there is no such id.
    private static func number(_ text: String) -> UInt32? {
        var scalars = text.unicodeScalars[...]
        let isSigned = scalars.first == "-" || scalars.first == "+"
        if isSigned { scalars = scalars.dropFirst() }
        guard !scalars.isEmpty, scalars.allSatisfy({ ("0"..."9").contains($0) }) else { return nil }
        if isSigned { return .max }
        return scalars.reduce(UInt32(0)) { sum, digit in
            let next = UInt64(sum) * 10 + UInt64(digit.value - 0x30)
            return sum == .max || next > UInt64(UInt32.max) ? .max : UInt32(next)
        }
    }

    private static func check(
        _ text: String, is id: UInt32, in file: [UInt8], field: Int, emptyIs empty: UInt32?
    ) throws(Finding) {
        if text.isEmpty, let empty { return try expect(id == empty, "nobody became \(id)") }
        if let number = number(text) {
            return try expect(number != .max && number == id, "number \(text) became \(id)")
        }
        let lines = file.split(separator: 0x0a)
        let hasLine = lines.contains { line in
            let fields = line.split(separator: UInt8(ascii: ":"), omittingEmptySubsequences: false)
            guard fields.count > field else { return false }
            return String(decoding: fields[0], as: UTF8.self) == text
                && UserFuzz.number(String(decoding: fields[field], as: UTF8.self)) == id
        }
        try expect(hasLine, "name \(text) became \(id), which no line says")
    }

    /// A number in range needs no file.
    private static func checkRefusal(
        _ text: String, _ extra: String, passwd: [UInt8], group: [UInt8]
    ) throws(Finding) {
        let parts = text.unicodeScalars.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
        let words = parts.map { String($0) } + [extra]
        let isPlain = words.allSatisfy { word in
            word.isEmpty || number(word).map { $0 != .max } ?? false
        }
        try expect(!isPlain, "refused the numbers \(words)")
    }

    /// Every group comes from the line of the user, the command line, or a group's list of members.
    private static func checkHasGrounds(
        _ user: ResolvedUser, _ text: String, _ extra: String, passwd: [UInt8], group: [UInt8]
    ) throws(Finding) {
        let known = (passwd + [0x0a] + group).split { $0 == 0x0a || $0 == UInt8(ascii: ":") }.compactMap {
            number(String(decoding: $0, as: UTF8.self))
        }
        let given = [0] + (text + ":" + extra).split(separator: ":").compactMap { number(String($0)) }
        for gid in user.groups {
            try expect(known.contains(gid) || given.contains(gid), "group \(gid) comes from nowhere")
        }
    }
}
