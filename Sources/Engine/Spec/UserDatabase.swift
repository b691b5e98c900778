internal import OCI

/// The image's /etc/passwd and /etc/group (passwd(5), group(5)), read by our own parser: the C library's would load
/// modules that the image names.
package struct UserDatabase: Sendable {
    /// Names are bytes: what looks alike is not the same user.
    package struct User: Sendable, Hashable {
        package let name: [UInt8]
        package let uid: UInt32
        package let gid: UInt32
        package let home: String
    }

    package struct Group: Sendable, Hashable {
        package let name: [UInt8]
        package let gid: UInt32
        package let members: [[UInt8]]
    }

    package let users: [User]
    package let groups: [Group]

    /// Lines that are no entry are passed over, as every reader of these files does; one whose number is out of range
    /// is none.
    package init(passwd: [UInt8], group: [UInt8]) {
        users = UserDatabase.entries(passwd).compactMap { fields in
            guard fields.count >= 6, !fields[0].isEmpty, let uid = UserDatabase.number(fields[2]),
                let gid = UserDatabase.number(fields[3])
            else { return nil }
            return User(name: Array(fields[0]), uid: uid, gid: gid, home: String(decoding: fields[5], as: UTF8.self))
        }
        groups = UserDatabase.entries(group).compactMap { fields in
            guard fields.count >= 3, !fields[0].isEmpty, let gid = UserDatabase.number(fields[2]) else { return nil }
            let members = fields.count > 3 ? fields[3].split(separator: UInt8(ascii: ",")).map { Array($0) } : []
            return Group(name: Array(fields[0]), gid: gid, members: members)
        }
    }

    /// The fields of each line. By bytes: to a `String`, a line end of CR and LF is one character that is neither.
    private static func entries(_ bytes: [UInt8]) -> [[ArraySlice<UInt8>]] {
        bytes.split(separator: UInt8(ascii: "\n")).map { raw in
            let line = raw.last == UInt8(ascii: "\r") ? raw.dropLast() : raw
            return line.split(separator: UInt8(ascii: ":"), omittingEmptySubsequences: false)
        }
    }

    /// ASCII digits only, at most 2^32 - 2: -1 means "leave as it is" to chown and setresuid.
    static func number(_ digits: some Collection<UInt8>) -> UInt32? {
        guard isDigits(digits), let value = UInt32(String(decoding: digits, as: UTF8.self)), value < UInt32.max else {
            return nil
        }
        return value
    }

    private static func isDigits(_ bytes: some Collection<UInt8>) -> Bool {
        !bytes.isEmpty && bytes.allSatisfy { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }
    }

    /// A sign makes a number too, one out of range: "-1" must not become somebody's name.
    fileprivate static func looksNumeric(_ text: String) -> Bool {
        let signed = text.utf8.first == UInt8(ascii: "-") || text.utf8.first == UInt8(ascii: "+")
        return isDigits(text.utf8.dropFirst(signed ? 1 : 0))
    }
}

/// Who the container's process runs as.
package struct ResolvedUser: Sendable, Hashable {
    package var uid: UInt32 = 0
    package var gid: UInt32 = 0
    /// With `gid` in it: a file closed to the group must be closed to the process however setgroups is read.
    package var groups: [UInt32] = []
    package var home: String = "/"
}

extension UserDatabase {
    /// What `USER[:GROUP]` means in this image, as docker reads it. A number is never looked up as a name.
    package func resolve(_ text: String, additionalGroups: [String] = []) throws(EngineError) -> ResolvedUser {
        let parts = text.utf8.split(separator: UInt8(ascii: ":"), maxSplits: 1, omittingEmptySubsequences: false)
        let userText = parts.first.map { String(decoding: $0, as: UTF8.self) } ?? ""
        let groupText = parts.count > 1 ? String(decoding: parts[1], as: UTF8.self) : ""
        var result = ResolvedUser()
        let user = try findUser(userText)
        let entry = user.entry
        result.uid = user.uid
        result.gid = entry?.gid ?? 0
        if let home = entry?.home, !home.isEmpty { result.home = home }
        if groupText.isEmpty {
            let name = entry?.name
            result.groups = groups.filter { group in name.map { group.members.contains($0) } ?? false }.map(\.gid)
        } else {
            result.gid = try findGroup(groupText)
        }
        for group in additionalGroups { result.groups.append(try findGroup(group)) }
        if result.groups.isEmpty {
            result.groups = [result.gid]
            return result
        }
        result.groups = UserDatabase.once([result.gid] + result.groups)
        return result
    }

    /// Each number where it comes first. A set is dearer than a look through a few, at the start of a process.
    private static func once(_ numbers: [UInt32]) -> [UInt32] {
        if numbers.count > 32 {
            var seen: Set<UInt32> = []
            return numbers.filter { seen.insert($0).inserted }
        }
        var result: [UInt32] = []
        for number in numbers where !result.contains(number) { result.append(number) }
        return result
    }

    private func findUser(_ text: String) throws(EngineError) -> (uid: UInt32, entry: User?) {
        if text.isEmpty { return (0, users.first { $0.uid == 0 }) }
        if UserDatabase.looksNumeric(text) {
            guard let uid = UserDatabase.number(text.utf8) else { throw UserDatabase.outOfRange("user", text) }
            return (uid, users.first { $0.uid == uid })
        }
        let name = Array(text.utf8)
        guard let entry = users.first(where: { $0.name == name }) else {
            throw .invalid("unable to find user \(ForeignText(text)): no matching entries in passwd file")
        }
        return (entry.uid, entry)
    }

    private func findGroup(_ text: String) throws(EngineError) -> UInt32 {
        if UserDatabase.looksNumeric(text) {
            guard let gid = UserDatabase.number(text.utf8) else { throw UserDatabase.outOfRange("group", text) }
            return gid
        }
        let name = Array(text.utf8)
        guard let entry = groups.first(where: { $0.name == name }) else {
            throw .invalid("unable to find group \(ForeignText(text)): no matching entries in group file")
        }
        return entry.gid
    }

    private static func outOfRange(_ what: String, _ text: String) -> EngineError {
        .invalid("invalid \(what) \"\(ForeignText(text))\": uids and gids must be in range 0-4294967294")
    }
}
