import Testing

@testable import Engine

@Suite struct UserDatabaseTests {
    private let database = UserDatabase(
        passwd: Array(
            """
            root:x:0:0:root:/root:/bin/sh
            alice:x:1000:1000::/home/alice:/bin/sh
            4294967296:x:0:0::/root:/bin/sh
            17:x:0:0::/root:/bin/sh
            broken line
            \u{e9}ve:x:0:0:::
            bob:x:notanumber:1:::
            """.utf8),
        group: Array("root:x:0:root\nwheel:x:10:root,alice\nalice:x:1000:\nusers:x:100:alice\n".utf8))

    @Test("X2: root is the default and has its groups") func rootIsTheDefaultAndHasItsGroups() throws {
        let user = try database.resolve("")
        #expect(user == ResolvedUser(uid: 0, gid: 0, groups: [0, 10], home: "/root"))
    }

    @Test("X2: a name brings its group and the supplementary ones") func aNameBringsItsGroupAndSupplementaryGroups()
        throws
    {
        let user = try database.resolve("alice")
        #expect(user == ResolvedUser(uid: 1000, gid: 1000, groups: [1000, 10, 100], home: "/home/alice"))
    }

    @Test("X2: a named group takes the place of the image's") func aNamedGroupReplacesTheSupplementaryOnes() throws {
        let user = try database.resolve("alice:wheel", additionalGroups: ["100", "users"])
        #expect(user.gid == 10)
        #expect(user.groups == [10, 100])
    }

    @Test func aNumberWithoutEntryIsAllowed() throws {
        #expect(try database.resolve("4321") == ResolvedUser(uid: 4321, gid: 0, groups: [0], home: "/"))
        #expect(try database.resolve("4321:77").groups == [77])
    }

    @Test(arguments: [":1", "1:", "alice:"]) func anEmptyPartIsTheDefault(_ text: String) throws {
        _ = try database.resolve(text)
    }

    /// CVE-2016-3697 and its kin: a number must never be taken for a name that is root.
    @Test("X3: a number is never looked up as a name") func aNumberIsNeverAName() throws {
        #expect(try database.resolve("17").uid == 17)
    }

    @Test(
        "X3: a number out of range is an error",
        arguments: ["4294967296", "4294967295", "-1", "+0", "99999999999999999999"])
    func anUnfitNumberIsAnError(_ text: String) {
        #expect(throws: EngineError.self) { try database.resolve(text) }
        #expect(throws: EngineError.self) { try database.resolve("0:\(text)") }
    }

    @Test(
        "X3: what is neither a number nor a name is an error",
        arguments: ["nobody", "0x0", "\u{661}", "bob", "broken line", "e\u{301}ve"])
    func anUnknownNameIsAnError(_ text: String) {
        let error = #expect(throws: EngineError.self) { try database.resolve(text) }
        #expect("\(String(describing: error.map { "\($0)" }))".contains("unable to find user \(text)"))
    }

    @Test("X3: entries are told apart by bytes, with either line end")
    func entriesAreBytes() throws {
        let database = UserDatabase(
            passwd: Array(
                "root:x:0:0::/root:/bin/sh\r\ncarol:x:5:6::/home/carol:/bin/sh\r\ndave:\u{301}x:0:0::/:\n".utf8),
            group: Array("carol:x:6:\r\nteam:x:7:carol\r\n".utf8))
        #expect(try database.resolve("carol") == ResolvedUser(uid: 5, gid: 6, groups: [6, 7], home: "/home/carol"))
        // The second field begins with a combining mark, and is the password all the same.
        #expect(try database.resolve("dave").uid == 0)
        #expect(throws: EngineError.self) { try database.resolve("dave\u{301}") }
        #expect(throws: EngineError.self) { try database.resolve("carol:\u{301}0") }
    }
}
