import Glibc
import Sys
import TestSupport
import Testing

@testable import Engine

/// Layers made by hand; whiteouts need CAP_MKNOD.
@Suite(.enabled(if: geteuid() == 0, "needs root")) struct LayerViewTests {
    private func text(_ view: LayerView, _ path: String) throws -> String? {
        try view.readFile(path, limit: 1000).map { String(decoding: $0, as: UTF8.self) }
    }

    private func withLayers(_ body: (String, LayerView) throws -> Void) throws {
        let root = "/tmp/runimg-layerview-\(Random.hex(bytes: 6))"
        try Directory.makePath(root + "/upper/etc", mode: 0o755)
        try Directory.makePath(root + "/lower/etc", mode: 0o755)
        defer { try? Directory.removeTree(root) }
        try body(root, LayerView(layers: [root + "/upper", root + "/lower"], marks: .trusted))
    }

    @Test func theUpperLayerWins() throws {
        try withLayers { root, view in
            try File.replace(root + "/lower/etc/passwd", with: Array("low".utf8))
            #expect(try text(view, "/etc/passwd") == "low")
            try File.replace(root + "/upper/etc/passwd", with: Array("up".utf8))
            #expect(try text(view, "/etc/passwd") == "up")
        }
    }

    @Test func whiteoutsAndOpaqueDirectoriesHide() throws {
        try withLayers { root, view in
            try File.replace(root + "/lower/etc/passwd", with: Array("low".utf8))
            let directory = try Directory.open(root + "/upper/etc")
            try ExtendedAttributes.set(directory.raw, PathBytes("trusted.overlay.opaque"), Array("y".utf8))
            #expect(try text(view, "/etc/passwd") == nil)
            try ExtendedAttributes.remove(directory.raw, PathBytes("trusted.overlay.opaque"))
            try #require(mknod(root + "/upper/etc/passwd", S_IFCHR, 0) == 0)
            #expect(try text(view, "/etc/passwd") == nil)
        }
    }

    /// The form that layers have which lie on overlayfs themselves.
    @Test func aMarkedFileHidesWhereItsDirectorySaysSo() throws {
        try withLayers { root, view in
            let marks = OverlayMarks.trusted
            try File.replace(root + "/lower/etc/passwd", with: Array("low".utf8))
            try File.replace(root + "/lower/top", with: Array("low".utf8))
            for (directory, name) in [("/upper/etc", "passwd"), ("/upper", "top")] {
                try File.replace("\(root)\(directory)/\(name)", with: [])
                let open = try Directory.open(root + directory)
                let path = directory == "/upper" ? "/top" : "/etc/passwd"
                #expect(try text(view, path) == "")
                try ExtendedAttributes.set(
                    try #require(PathBytes(name.utf8)), at: open.raw, marks.whiteout, OverlayMarks.opaqueValue)
                #expect(try text(view, path) == "")
                try ExtendedAttributes.set(open.raw, marks.opaque, OverlayMarks.xwhiteoutsValue)
                #expect(try text(view, path) == nil)
            }
            // It hides nothing else.
            try File.replace(root + "/lower/etc/group", with: Array("low".utf8))
            #expect(try text(view, "/etc/group") == "low")
        }
    }

    @Test("X6: links stay inside the image, and forty are enough") func linksStayInsideTheImage() throws {
        try withLayers { root, view in
            try File.replace(root + "/lower/store", with: Array("inside".utf8))
            try File.symlink("/../../../store", root + "/upper/etc/passwd")
            #expect(try text(view, "/etc/passwd") == "inside")
            try File.symlink("/etc/loop", root + "/upper/etc/loop")
            #expect(throws: SystemFailure.self) { try text(view, "/etc/loop") }
            try File.symlink("/../../../store", root + "/lower/l0")
            for number in 1...40 { try File.symlink("../../l\(number - 1)", root + "/lower/l\(number)") }
            #expect(try text(view, "/l39") == "inside")
            #expect(throws: SystemFailure.self) { try text(view, "/l40") }
            // A slash with a combining mark behind it is a slash.
            try File.symlink("etc/\u{301}x", root + "/lower/mark")
            try File.replace(root + "/lower/etc/\u{301}x", with: Array("marked".utf8))
            #expect(try text(view, "/mark") == "marked")
        }
    }

    /// CVE-2024-9676: a fifo would block us, a huge file fill our memory.
    @Test("X6: a fifo, a device and a file that is too large are errors", .timeLimit(.minutes(Wait.minutes(15))))
    func unfitFilesAreErrors() throws {
        try withLayers { root, view in
            try #require(mkfifo(root + "/upper/etc/passwd", 0o644) == 0)
            #expect(throws: SystemFailure.self) { try text(view, "/etc/passwd") }
            try File.replace(root + "/upper/etc/group", with: [UInt8](repeating: 65, count: 2000))
            #expect(throws: SystemFailure.self) { try text(view, "/etc/group") }
        }
    }
}
