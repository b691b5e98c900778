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
            bob:x:notanumber:1:::
            """.utf8),
        group: Array("root:x:0:root\nwheel:x:10:root,alice\nalice:x:1000:\nusers:x:100:alice\n".utf8))

    @Test func rootIsTheDefaultAndHasItsGroups() throws {
        let user = try database.resolve("")
        #expect(user == ResolvedUser(uid: 0, gid: 0, groups: [0, 10], home: "/root"))
    }

    @Test func aNameBringsItsGroupAndSupplementaryGroups() throws {
        let user = try database.resolve("alice")
        #expect(user == ResolvedUser(uid: 1000, gid: 1000, groups: [1000, 10, 100], home: "/home/alice"))
    }

    @Test func aNamedGroupReplacesTheSupplementaryOnes() throws {
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
    @Test func aNumberIsNeverAName() throws {
        #expect(try database.resolve("17").uid == 17)
    }

    @Test(arguments: ["4294967296", "4294967295", "-1", "+0", "99999999999999999999"])
    func anUnfitNumberIsAnError(_ text: String) {
        #expect(throws: EngineError.self) { try database.resolve(text) }
        #expect(throws: EngineError.self) { try database.resolve("0:\(text)") }
    }

    @Test(arguments: ["nobody", "0x0", "\u{661}", "bob", "broken line"]) func anUnknownNameIsAnError(_ text: String) {
        let error = #expect(throws: EngineError.self) { try database.resolve(text) }
        #expect("\(String(describing: error.map { "\($0)" }))".contains("unable to find user \(text)"))
    }
}
