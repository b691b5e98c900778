/// The image's /etc/passwd and /etc/group (passwd(5), group(5)), read by our own parser: the C library's would load
/// modules that the image names.
package struct UserDatabase: Sendable {
    package struct User: Sendable, Hashable {
        package let name: String
        package let uid: UInt32
        package let gid: UInt32
        package let home: String
    }

    package struct Group: Sendable, Hashable {
        package let name: String
        package let gid: UInt32
        package let members: [String]
    }

    package let users: [User]
    package let groups: [Group]

    /// Lines that are no entry are passed over, as every reader of these files does.
    package init(passwd: [UInt8], group: [UInt8]) {
        users = UserDatabase.lines(passwd).compactMap { line in
            let parts = line.split(separator: ":", omittingEmptySubsequences: false)
            guard parts.count >= 6, !parts[0].isEmpty, let uid = UserDatabase.number(parts[2]),
                let gid = UserDatabase.number(parts[3])
            else { return nil }
            return User(name: String(parts[0]), uid: uid, gid: gid, home: String(parts[5]))
        }
        groups = UserDatabase.lines(group).compactMap { line in
            let parts = line.split(separator: ":", omittingEmptySubsequences: false)
            guard parts.count >= 3, !parts[0].isEmpty, let gid = UserDatabase.number(parts[2]) else { return nil }
            let members = parts.count > 3 ? parts[3].split(separator: ",").map(String.init) : []
            return Group(name: String(parts[0]), gid: gid, members: members)
        }
    }

    private static func lines(_ bytes: [UInt8]) -> [Substring] {
        String(decoding: bytes, as: UTF8.self).split(separator: "\n")
    }

    /// ASCII digits only, at most 2^32 - 2: -1 means "leave as it is" to chown and setresuid.
    static func number(_ text: some StringProtocol) -> UInt32? {
        guard !text.isEmpty, text.utf8.allSatisfy({ (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }),
            let value = UInt32(text), value < UInt32.max
        else { return nil }
        return value
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
        let parts = text.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
        let userText = parts.first.map(String.init) ?? ""
        let groupText = parts.count > 1 ? String(parts[1]) : ""
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
        var seen: Set<UInt32> = []
        result.groups = ([result.gid] + result.groups).filter { seen.insert($0).inserted }
        return result
    }

    private func findUser(_ text: String) throws(EngineError) -> (uid: UInt32, entry: User?) {
        if text.isEmpty { return (0, users.first { $0.uid == 0 }) }
        if UserDatabase.looksNumeric(text) {
            guard let uid = UserDatabase.number(text) else {
                throw .invalid("invalid user \"\(text)\": uids and gids must be in range 0-4294967294")
            }
            return (uid, users.first { $0.uid == uid })
        }
        guard let entry = users.first(where: { $0.name == text }) else {
            throw .invalid("unable to find user \(text): no matching entries in passwd file")
        }
        return (entry.uid, entry)
    }

    private func findGroup(_ text: String) throws(EngineError) -> UInt32 {
        if UserDatabase.looksNumeric(text) {
            guard let gid = UserDatabase.number(text) else {
                throw .invalid("invalid group \"\(text)\": uids and gids must be in range 0-4294967294")
            }
            return gid
        }
        guard let entry = groups.first(where: { $0.name == text }) else {
            throw .invalid("unable to find group \(text): no matching entries in group file")
        }
        return entry.gid
    }

    /// A sign makes a number too, one out of range: "-1" must not become somebody's name.
    private static func looksNumeric(_ text: String) -> Bool {
        let digits = text.first == "-" || text.first == "+" ? text.dropFirst() : text[...]
        return !digits.isEmpty && digits.utf8.allSatisfy { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }
    }
}
