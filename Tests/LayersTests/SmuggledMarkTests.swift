import Layers
import Sys
import TestSupport
import Testing

/// Marks of overlayfs that a layer brings along would rewire the merged view: none is ever stored.
@Suite(.enabled(if: Conditions.isRoot, "whiteouts and trusted attributes need root"))
struct SmuggledMarkTests {
    static let formats = [OnDiskFormat.overlay, .overlayUserXattr, .directory]

    static let marks: [(name: String, value: String)] = [
        ("opaque", "y"), ("opaque", "x"), ("redirect", "/etc"), ("redirect", "../etc"), ("metacopy", ""),
        ("origin", "x"), ("impure", "y"), ("nlink", "U+1"), ("upper", "x"), ("uuid", "0123456789abcdef"),
        ("protattr", "i"), ("whiteout", ""), ("whiteouts", ""), ("overlay.opaque", "y"), ("xwhiteouts", "y"),
    ]

    /// Every way in which a tar can say the name of an attribute.
    private static func records(_ mark: String, _ value: String) -> [(String, String)] {
        ["trusted.overlay", "user.overlay", "user.fuseoverlayfs"].flatMap { place in
            [
                ("SCHILY.xattr.\(place).\(mark)", value),
                ("LIBARCHIVE.xattr.\(place).\(mark)", "eQ=="),
                ("LIBARCHIVE.xattr.\(place)%2e\(mark)", "eQ=="),
                ("LIBARCHIVE.xattr.%\(place.hasPrefix("user") ? "75" : "74")\(place.dropFirst()).\(mark)", "eQ=="),
            ]
        }
    }

    /// Below: what the marks would reach. On top: each mark on directories and files.
    private static let lower = TarForge.make { tar in
        tar.directory("etc") { $0.mode = 0o755 }
        tar.file("etc/secret", "secret")
        tar.directory("d")
        tar.file("d/low", "low")
    }

    private static func upper(_ records: [(String, String)]) -> [UInt8] {
        TarForge.make { tar in
            tar.pax(records)
            tar.directory("d") { $0.mode = 0o755 }
            tar.pax(records)
            tar.file("d/f", "x")
            tar.pax(records)
            tar.symlink("d/l", to: "f")
            tar.pax(records)
            tar.directory("./") { $0.mode = 0o755 }
        }
    }

    @Test("U6: attributes of overlayfs are never stored, and both formats show one tree", arguments: formats)
    func attributesAreDropped(_ format: OnDiskFormat) throws {
        let all = SmuggledMarkTests.marks.flatMap { SmuggledMarkTests.records($0.name, $0.value) }
        let bench = try Workbench()
        let upper = SmuggledMarkTests.upper(all)
        try bench.extract(SmuggledMarkTests.lower, into: "layer0", format: format)
        try bench.extract(
            upper, into: format == .directory ? "layer0" : "layer1", format: format,
            below: format == .directory ? [] : ["layer0"])
        for layer in format == .directory ? ["layer0"] : ["layer0", "layer1"] {
            for (path, entry) in try bench.listing(layer).entries { #expect(entry.xattrs == [:], "\(layer)/\(path)") }
        }
        let root = try Directory.open(bench.scratch(format == .directory ? "layer0/d" : "layer1/d"))
        #expect(try ExtendedAttributes.names(PathBytes("l"), at: root.raw) == [])
        // What a container sees: nothing of /etc in place of d, nothing gone.
        let wanted: Set<String> = [".", "d", "d/f", "d/l", "d/low", "etc", "etc/secret"]
        if format == .directory {
            #expect(Set(try bench.listing("layer0").paths) == wanted)
        } else if Conditions.hasOverlay {
            let merged = try Overlay.listing(bench.scratch, ["layer1", "layer0"])
            #expect(Set(merged.paths) == wanted)
            try bench.extract(SmuggledMarkTests.lower, into: "layer-tree", format: .directory)
            try bench.extract(upper, into: "layer-tree", format: .directory)
            #expect(merged.differences(from: try bench.listing("layer-tree")) == [])
        }
        try bench.expectCanaryUntouched()
    }

    @Test("U6: a device that is overlayfs's whiteout is refused, in every format", arguments: formats)
    func whiteoutDevicesAreRefused(_ format: OnDiskFormat) throws {
        let zero = TarForge.base256(0, 8)
        let devices: [TarForge.Header] = [
            TarForge.Header("d/low", type: "3"),
            TarForge.Header("d/low", type: "3").with { $0.format = .v7 },
            TarForge.Header("d/low", type: "3").with { $0.format = .gnu },
            TarForge.Header("d/low", type: "3").with { $0.patches = [(329, zero), (337, zero)] },
            TarForge.Header("d/low", type: "3").with {
                $0.patches = [(329, [UInt8](repeating: 0x20, count: 8)), (337, [UInt8](repeating: 0, count: 8))]
            },
        ]
        for device in devices {
            let bench = try Workbench()
            let error = try #require(try bench.refusal(TarForge.make { $0.header(device) }, format: format))
            #expect("\(error)".contains("\"d/low\"") && "\(error)".contains("0:0"), "\(error)")
            #expect(try bench.listing()["d/low"] == nil)
        }
        // A block device of that number is nothing to overlayfs.
        let bench = try Workbench()
        try bench.extract(TarForge.make { $0.header(TarForge.Header("b", type: "4")) }, format: format)
        #expect(try bench.listing()["b"]?.kind == .blockDevice)
    }

    @Test("U6: a whiteout of ours cannot be linked to another name")
    func whiteoutsCannotBeLinked() throws {
        try linkWhiteouts(below: "/var/tmp")
        guard Conditions.hasOverlay, MountAPI.overlayAppendsLayers else { return }
        try OverlayDisk.with { try linkWhiteouts(below: $0) }
    }

    private func linkWhiteouts(below parent: String) throws {
        for order in [["mark", "link"], ["link", "mark"]] {
            let bench = try Workbench(below: parent)
            try bench.extract(SmuggledMarkTests.lower, into: "layer0")
            let upper = TarForge.make { tar in
                for step in order {
                    if step == "mark" { tar.file("d/.wh.low") } else { tar.hardLink("etc/secret", to: "d/low") }
                }
            }
            if order[0] == "mark" {
                let error = try #require(try bench.refusal(upper, below: ["layer0"]))
                #expect("\(error)".contains("does not exist"), "\(error)")
            } else {
                try bench.extract(upper, below: ["layer0"])
                #expect(try bench.listing()["etc/secret"]?.kind == .file)
            }
        }
    }
}
