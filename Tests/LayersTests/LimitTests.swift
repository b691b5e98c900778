import Glibc
import Layers
import OCI
import Sys
import TestSupport
import Testing

@Suite(.enabled(if: Conditions.isRoot, "owners need root")) struct LimitTests {
    struct Case: Sendable, CustomTestStringConvertible {
        let kind: ExtractionLimits.Kind
        var note = ""
        var limits = ExtractionLimits()
        var below: [UInt8]?
        let tar: [UInt8]
        var testDescription: String { kind.rawValue + note }
    }

    static func limits(_ change: (inout ExtractionLimits) -> Void) -> ExtractionLimits {
        var limits = ExtractionLimits()
        change(&limits)
        return limits
    }

    static let cases: [Case] = [
        Case(
            kind: .entries, limits: limits { $0.entries = 9 },
            tar: TarForge.make { tar in for index in 0..<10 { tar.file("f\(index)") } }),
        Case(
            kind: .entries, note: ": extended headers count", limits: limits { $0.entries = 9 },
            tar: TarForge.make { tar in for _ in 0..<10 { tar.pax([("a", "b")]) } }),
        Case(
            kind: .entries, note: ": directories on the way count", limits: limits { $0.entries = 9 },
            tar: TarForge.make { tar in for index in 0..<2 { tar.file("\(index)/2/3/4/5/f") } }),
        Case(
            kind: .expandedSize, limits: limits { $0.expandedSize = 100_000 },
            tar: TarForge.make { $0.file("f", String(repeating: "x", count: 120_000)) }),
        Case(
            kind: .expandedSize, note: ": after the end marker", limits: limits { $0.expandedSize = 100_000 },
            tar: TarForge.make { $0.file("f") } + [UInt8](repeating: 0, count: 120_000)),
        Case(
            kind: .pathDepth,
            tar: TarForge.make {
                $0.pax([("path", path(1025))]); $0.file("x")
            }),
        Case(
            kind: .pathDepth, note: ": through links", limits: limits { $0.pathDepth = 20 },
            tar: TarForge.make { tar in
                tar.symlink("l", to: path(15))
                tar.file("l/" + path(10))
            }),
        Case(
            kind: .pathLength,
            tar: TarForge.make { tar in
                tar.pax([
                    ("path", Array(repeating: String(repeating: "n", count: 250), count: 17).joined(separator: "/"))
                ])
                tar.file("x")
            }),
        Case(
            kind: .pathLength, note: ": through links",
            tar: TarForge.make { tar in
                let half = Array(repeating: String(repeating: "n", count: 250), count: 9).joined(separator: "/")
                tar.long("K", half)
                tar.symlink("l", to: "x")
                tar.pax([("path", "l/" + half)])
                tar.file("x")
            }),
        Case(
            kind: .extendedHeaderSize,
            tar: TarForge.make { tar in
                tar.header(TarForge.Header("x", type: "x").with { $0.size = 1 << 30 })
                tar.raw([UInt8](repeating: 0x20, count: 4096))
            }),
        Case(
            kind: .extendedHeaderSize, note: ": global",
            tar: TarForge.make { $0.header(TarForge.Header("x", type: "g").with { $0.size = (1 << 20) + 1 }) }),
        Case(
            kind: .extendedHeaderSize, note: ": long name",
            tar: TarForge.make { $0.header(TarForge.Header("x", type: "L").with { $0.size = .max }) }),
        Case(
            kind: .extendedHeaderSize, note: ": long link",
            tar: TarForge.make { $0.header(TarForge.Header("x", type: "K").with { $0.size = 1 << 40 }) }),
        Case(
            kind: .attributeSize,
            tar: TarForge.make { tar in
                tar.pax([("SCHILY.xattr.user.big", [UInt8](repeating: 0x41, count: 65537))])
                tar.file("x")
            }),
        Case(
            kind: .sparseMapSize,
            tar: TarForge.make { tar in
                tar.header(
                    TarForge.Header("s", type: "S").with { header in
                        header.format = .gnu
                        header.patches = [(482, [1]), (483, TarForge.number(1, 12))]
                    })
                var block = [UInt8](repeating: 0x30, count: 504) + [1, 0, 0, 0, 0, 0, 0, 0]
                for index in stride(from: 11, to: 504, by: 12) { block[index] = 0 }
                for _ in 0..<3000 { tar.raw(block) }
            }),
        Case(
            kind: .sparseMapSize, note: ": in the data",
            tar: TarForge.make { tar in
                tar.pax([("GNU.sparse.major", "1"), ("GNU.sparse.minor", "0"), ("GNU.sparse.realsize", "1")])
                let map = "500000\n" + String(repeating: "0\n", count: 1_000_000)
                tar.file("s", map)
            }),
        Case(
            kind: .lookups, limits: limits { $0.lookups = 100 }, below: TarForge.make { $0.directory("below") },
            tar: TarForge.make { tar in for index in 0..<101 { tar.file("below/d\(index)/f") } }),
        Case(
            kind: .directoryListSize, limits: limits { $0.directoryListSize = 10_000 },
            tar: TarForge.make { tar in for index in 0..<1000 { tar.directory("d\(index)") } }),
    ]

    static func path(_ depth: Int) -> String { Array(repeating: "d", count: depth).joined(separator: "/") }

    @Test("U11, U12: a limit that is hit refuses the layer and is named", arguments: cases)
    func namesTheLimit(_ item: Case) throws {
        let bench = try Workbench()
        if let below = item.below { try bench.extract(below, into: "layer0") }
        let layers = item.below == nil ? [] : ["layer0"]
        let error = try #require(try bench.refusal(item.tar, limits: item.limits, below: layers))
        #expect(error.limitKind == item.kind, "\(error)")
        #expect("\(error)".contains("limit \"\(item.kind.rawValue)\""))
        // What was made so far can be removed, however deep: Scratch does.
    }
}
