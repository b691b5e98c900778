import Glibc
import Layers
import Sys
import TestSupport
import Testing

/// Numbers that mean something else to the kernel, or nothing.
@Suite(.enabled(if: Conditions.isRoot, "owners and devices need root")) struct RangeTests {
    struct Case: Sendable, CustomTestStringConvertible {
        /// What the refusal says.
        let testDescription: String
        let tar: [UInt8]

        init(_ words: String, _ type: Character = "0", _ change: (inout TarForge.Header) -> Void) {
            testDescription = words
            tar = TarForge.make { $0.header(TarForge.Header("f", type: type).with(change)) }
        }

        init(_ words: String, _ records: [(String, String)]) {
            testDescription = words
            tar = TarForge.make { tar in
                tar.pax(records)
                tar.file("f", "#!") { $0.mode = 0o4755 }
            }
        }
    }

    private static let badIDs: [Int64] = [4_294_967_295, 1 << 32, 1 << 33, -1, -5, .min + 1, .max]

    static let identities: [Case] = headerIDs + recordIDs

    private static let headerIDs: [Case] = badIDs.flatMap { id -> [Case] in
        // Eight bytes of a header hold no more than 2^62.
        let words = abs(id) < 1 << 55 ? "id \(id)" : "id "
        return [
            Case("user \(words)") {
                $0.uid = id; $0.mode = 0o4755
            },
            Case("group \(words)") {
                $0.gid = id; $0.mode = 0o2755
            },
            Case("user \(words)", "5") { $0.uid = id },
            Case("user \(words)", "2") {
                $0.uid = id; $0.link = [0x78]
            },
            Case("user \(words)", "6") {
                $0.uid = id; $0.mode = 0o4755
            },
        ]
    }

    private static let recordIDs: [Case] = {
        let numbers = ["4294967295", "4294967296", "8589934592", "-1", "-5", "9223372036854775807"]
        var cases = numbers.map { Case("user id \($0)", [("uid", $0)]) }
        cases += numbers.map { Case("group id \($0)", [("gid", $0)]) }
        for text in ["99999999999999999999", "1x", "0x0", "+1", " 1", "1.0"] {
            cases.append(Case("PAX record uid", [("uid", text)]))
            cases.append(Case("PAX record gid", [("gid", text)]))
        }
        return cases
    }()

    private static let badDevices: [(Int64, Int64)] = [
        (4096, 0), (1, 1 << 20), (4_294_967_295, 0), (0, 4_294_967_295), (-1, 3), (1, -3), (1 << 32 | 1, 3),
    ]

    static let devices: [Case] = {
        var cases: [Case] = []
        for (major, minor) in badDevices {
            for type in ["3", "4"] as [Character] {
                cases.append(
                    Case("device number \(major):\(minor)", type) {
                        $0.major = major; $0.minor = minor
                    })
            }
        }
        cases.append(Case("invalid number", "3") { $0.patches = [(329, Array("9999999\0".utf8))] })
        cases.append(Case("invalid number", "4") { $0.patches = [(337, Array("zzzzzzz\0".utf8))] })
        return cases
    }()

    static let others: [Case] = [
        Case("negative size") { $0.size = -1 },
        Case("negative size") { $0.size = .min },
        Case("end of data") { $0.size = .max },
        // 2^63 and more, of either sign.
        Case("invalid number") { $0.patches = [(136, base256(0x80, [0, 0, 0, 0x80]))] },
        Case("invalid number") { $0.patches = [(136, base256(0x80, [0, 0, 1, 0]))] },
        Case("invalid number") { $0.patches = [(136, base256(0xff, [0xff, 0xff, 0xfe, 0]))] },
        Case("mtime is not a time", [("mtime", "9223372036854775808")]),
        Case("mtime is not a time", [("mtime", "-9223372036854775809")]),
        Case("mtime is not a time", [("mtime", "-9223372036854775808.5")]),
        Case("mtime is not a time", [("mtime", "1e99")]),
    ]

    private static func base256(_ first: UInt8, _ next: [UInt8]) -> [UInt8] {
        [first] + next + [UInt8](repeating: 0, count: 11 - next.count)
    }

    @Test("U18: owners that the kernel does not know are refused, and nothing of root's is left", arguments: identities)
    func identitiesInRange(_ item: Case) throws { try expectRefusal(item) }

    @Test("U8: device numbers that would be another device's are refused", arguments: devices)
    func devicesInRange(_ item: Case) throws { try expectRefusal(item) }

    @Test("U18: sizes and times out of range are refused", arguments: others)
    func numbersInRange(_ item: Case) throws { try expectRefusal(item) }

    private func expectRefusal(_ item: Case) throws {
        for format in [OnDiskFormat.overlay, .directory] {
            let bench = try Workbench()
            let error = try #require(try bench.refusal(item.tar, format: format))
            #expect("\(error)".contains(item.testDescription), "\(error)")
            let left = try bench.listing().entries.filter { $0.key != "." }
            #expect(left.isEmpty || !item.testDescription.contains(" id "), "\(left.keys)")
            #expect(left.values.allSatisfy { $0.mode & 0o6000 == 0 }, "no set-id file of root is left")
        }
    }

    @Test("U8: device numbers in range are made as they are")
    func devicesAreMade() throws {
        let numbers: [(Character, Int64, Int64)] = [("4", 8, 0), ("3", 1, 1), ("3", 4095, 1_048_575), ("4", 259, 300)]
        let bench = try Workbench()
        try bench.extract(
            TarForge.make { tar in
                for (type, major, minor) in numbers {
                    tar.header(
                        TarForge.Header("\(major)-\(minor)", type: type).with {
                            $0.major = major; $0.minor = minor; $0.mode = 0o660
                        })
                }
            })
        for (type, major, minor) in numbers {
            let entry = try #require(try bench.listing()["\(major)-\(minor)"])
            #expect(entry.device == "\(major):\(minor)" && entry.mode == 0o660)
            #expect(entry.kind == (type == "3" ? .characterDevice : .blockDevice))
        }
    }

    @Test("U18: the largest owner and times as far as they go are taken, without a trap")
    func extremesAreTaken() throws {
        let bench = try Workbench()
        let names = ["future", "past", "header-future", "header-past"]
        try bench.extract(
            TarForge.make { tar in
                tar.pax([("mtime", "9223372036854775807.999999999")])
                tar.file("future")
                tar.pax([("mtime", "-9223372036854775808")])
                tar.file("past")
                tar.file("header-future") { $0.mtime = .max }
                tar.file("header-past") { $0.mtime = .min }
                tar.directory("directory") { $0.mtime = .max }
                tar.symlink("link", to: "x") { $0.mtime = .min }
                tar.pax([("mtime", "-1.25")])
                tar.file("before")
                tar.file("largest", "x") {
                    $0.mode = 0o6755; $0.uid = 4_294_967_294; $0.gid = 4_294_967_294
                }
                tar.file("modes", "x") { $0.mode = .max }
            })
        let tree = try bench.listing()
        for name in names { #expect(tree[name]?.kind == .file, "\(name)") }
        // As far as the file system goes, in the right direction.
        let now: Int64 = 1_700_000_000
        for name in ["future", "header-future", "directory"] { #expect((tree[name]?.seconds ?? 0) > now, "\(name)") }
        for name in ["past", "header-past", "link"] { #expect((tree[name]?.seconds ?? 0) < 0, "\(name)") }
        let before = try #require(tree["before"])
        #expect(before.seconds == -2 && before.nanoseconds == 750_000_000)
        let largest = try #require(tree["largest"])
        #expect(largest.uid == 4_294_967_294 && largest.gid == 4_294_967_294 && largest.mode == 0o6755)
        #expect(tree["modes"]?.mode == 0o7777)
    }
}
