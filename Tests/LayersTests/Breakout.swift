import TestSupport
import Testing

/// A layer that wants out of its directory, and what must become of it.
struct Breakout: Sendable, CustomTestStringConvertible {
    enum Outcome: Sendable {
        /// The whole layer is refused with these words.
        case refused(String)
        /// It is applied, with these paths inside; a file's is its first hard link's name or its contents.
        case inside([String: String])
    }

    let name: String
    let outcome: Outcome
    /// Gets the canary's absolute path, without the leading slash.
    let build: @Sendable (inout TarForge, String) -> Void

    var testDescription: String { name }

    init(_ name: String, _ outcome: Outcome, _ build: @escaping @Sendable (inout TarForge, String) -> Void) {
        self.name = name
        self.outcome = outcome
        self.build = build
    }

    static let leaves = "the name leaves the layer"

    /// What the outcome's `CANARY` stands for.
    static func expected(_ outcome: [String: String], _ canary: String) -> [(String, String)] {
        outcome.map { (replaced($0.key, canary), replaced($0.value, canary)) }
    }

    private static func replaced(_ text: String, _ canary: String) -> String {
        text.split(separator: "CANARY", omittingEmptySubsequences: false).joined(separator: canary)
    }

    // MARK: Names

    static let names: [Breakout] =
        [
            "../x", "/../x", "./../x", "a/../../x", "a/../..//x", "/a/../../x", "a/b/../../../x", "..//x", ".././x",
            "a/./.././../x", String(repeating: "../", count: 4096) + "canary/x", "../canary/file", "..",
            "../../../../etc",
        ].map { name in
            Breakout("name \(name.prefix(20))", .refused(leaves)) { tar, _ in
                tar.pax([("path", name)])
                tar.file("x", "escaped")
            }
        } + [
            Breakout("absolute name", .inside(["CANARY/file": "rooted"])) { tar, canary in
                tar.pax([("path", "/" + canary + "/file")])
                tar.file("x", "rooted")
            },
            Breakout("inner dots", .inside(["a/x": "1", "b": "2"])) { tar, _ in
                tar.file("a/./c/../x", "1")
                tar.file("//./a/..//b", "2")
            },
            Breakout("dots are of the text, not of links", .inside(["x": "1"])) { tar, canary in
                tar.symlink("l", to: "/" + canary + "/dir")
                tar.file("l/../x", "1")
            },
        ]

    // MARK: Links as parents

    static let parents: [Breakout] = [
        Breakout("absolute link", .inside(["CANARY/file": "in"])) { tar, canary in
            tar.symlink("x", to: "/" + canary)
            tar.file("x/file", "in")
        },
        Breakout("relative link", .inside(["canary/file": "in"])) { tar, _ in
            tar.symlink("x", to: "../canary")
            tar.file("x/file", "in")
        },
        Breakout("long relative link", .inside(["CANARY/dir/new": "in"])) { tar, canary in
            tar.directory("d/e")
            tar.symlink("d/e/x", to: String(repeating: "../", count: 12) + canary)
            tar.file("d/e/x/dir/new", "in")
        },
        Breakout("chain of links", .inside(["canary/file": "in"])) { tar, _ in
            tar.symlink("a", to: "b")
            tar.symlink("b", to: "/c/../b2")
            tar.symlink("b2", to: "..")
            tar.file("a/canary/file", "in")
        },
        Breakout("link in the middle", .inside(["CANARY/deep/er/f": "in"])) { tar, canary in
            tar.directory("d")
            tar.symlink("d/x", to: "/" + canary)
            tar.file("d/x/deep/er/f", "in")
        },
        Breakout("directory through a link", .inside(["canary/dir": "directory"])) { tar, _ in
            tar.symlink("x", to: "../canary")
            tar.directory("x/dir") {
                $0.mode = 0; $0.uid = 65534
            }
        },
        Breakout("link through a link", .inside(["canary/dir/l": "link"])) { tar, _ in
            tar.symlink("x", to: "../canary/dir")
            tar.symlink("x/l", to: "/")
        },
        Breakout("fifo through a link", .inside(["canary/p": "other"])) { tar, _ in
            tar.symlink("x", to: "../canary")
            tar.header(TarForge.Header("x/p", type: "6"))
        },
        Breakout("link over a directory that was used", .inside(["d": "link", "canary/f": "in"])) { tar, _ in
            tar.directory("d")
            tar.file("d/f", "old")
            tar.symlink("d", to: "../canary")
            tar.file("d/f", "in")
        },
        Breakout("link to the root", .inside(["canary/f": "in"])) { tar, _ in
            tar.symlink("r", to: "/")
            tar.file("r/r/r/canary/f", "in")
        },
        Breakout("loop", .refused("too many symbolic links")) { tar, _ in
            tar.symlink("a", to: "b")
            tar.symlink("b", to: "a")
            tar.file("a/f", "x")
        },
        Breakout("file as a parent", .refused("not a directory")) { tar, _ in
            tar.file("f", "x")
            tar.file("f/g", "x")
        },
        Breakout("the file itself is a link", .inside(["x": "in"])) { tar, canary in
            tar.symlink("x", to: "/" + canary + "/file")
            tar.file("x", "in") { $0.mode = 0o777 }
        },
        Breakout("the directory itself is a link", .inside(["x": "directory", "x/file": "in"])) { tar, canary in
            tar.symlink("x", to: "/" + canary)
            tar.directory("x") {
                $0.mode = 0o777; $0.uid = 1
            }
            tar.file("x/file", "in")
        },
    ]

    // MARK: Hard links

    static let hardLinks: [Breakout] =
        ["../canary/file", "/../canary/file", "a/../../canary/file", "../../../../../../etc/passwd"].map { target in
            Breakout("hard link to \(target)", .refused(leaves)) { tar, _ in
                tar.hardLink("h", to: target)
                tar.file("h", "through")
            }
        } + [
            Breakout("absolute hard link", .inside(["CANARY/file": "in", "h": "in"])) { tar, canary in
                tar.pax([("path", canary + "/file")])
                tar.file("x", "in")
                tar.pax([("linkpath", "/" + canary + "/file")])
                tar.hardLink("h", to: "x")
            },
            Breakout("hard link to what is only outside", .refused("does not exist")) { tar, canary in
                tar.pax([("linkpath", "/" + canary + "/file")])
                tar.hardLink("h", to: "x")
            },
            Breakout("hard link through a link", .refused("does not exist")) { tar, canary in
                tar.symlink("x", to: "../canary")
                tar.hardLink("h", to: "x/file")
                tar.file("h", "through")
            },
            Breakout("hard link under a link", .inside(["canary/h": "in", "f": "in"])) { tar, _ in
                tar.symlink("x", to: "../canary")
                tar.file("f", "in")
                tar.hardLink("x/h", to: "f")
            },
            Breakout("hard link to a link, then attributes", .inside(["s": "link", "h": "link"])) { tar, canary in
                tar.symlink("s", to: "/" + canary + "/file")
                tar.pax([("SCHILY.xattr.user.bad", "1"), ("SCHILY.xattr.security.capability", "1")])
                tar.hardLink("h", to: "s") {
                    $0.mode = 0o777; $0.uid = 65534; $0.gid = 65534; $0.mtime = 1
                }
            },
            Breakout("hard link to a link, then its file", .inside(["s": "link", "h": "in"])) { tar, canary in
                tar.symlink("s", to: "/" + canary + "/file")
                tar.hardLink("h", to: "s")
                tar.file("h", "in")
            },
            Breakout("hard link to a link to the root", .inside(["r": "link", "h": "link"])) { tar, _ in
                tar.symlink("r", to: "/")
                tar.hardLink("h", to: "r") { $0.mode = 0 }
            },
            Breakout("hard link to a link, then attributes by name", .inside(["s": "link", "h": "link"])) {
                tar, canary in
                tar.symlink("s", to: "/" + canary + "/setuid")
                tar.hardLink("h", to: "s")
                tar.pax([
                    ("SCHILY.xattr.user.bad", [1]),
                    ("SCHILY.xattr.security.capability", [1, 0, 0, 2, 0, 0x20] + [UInt8](repeating: 0, count: 14)),
                ])
                tar.symlink("h", to: "/" + canary + "/setuid") {
                    $0.mode = 0o777; $0.uid = 65534; $0.gid = 65534; $0.mtime = 1
                }
            },
            Breakout("node over a link", .inside(["s": "other", "h": "link"])) { tar, canary in
                tar.symlink("s", to: "/" + canary + "/file")
                tar.hardLink("h", to: "s")
                tar.header(
                    TarForge.Header("s", type: "6").with {
                        $0.mode = 0o4777; $0.uid = 65534; $0.mtime = 1
                    })
            },
            Breakout("hard link to a deleted name", .refused("does not exist")) { tar, _ in
                tar.file(".wh.gone")
                tar.hardLink("h", to: "gone")
            },
            Breakout("hard link to a directory", .refused("hard link to a directory")) { tar, _ in
                tar.directory("d")
                tar.hardLink("h", to: "d")
            },
            Breakout("hard link to the root", .refused("hard link to the root")) { tar, _ in
                tar.hardLink("h", to: "/")
            },
            Breakout("hard link to itself", .refused("hard link to itself")) { tar, _ in
                tar.file("h", "x")
                tar.hardLink("h", to: "./h")
            },
            Breakout("hard link without a target", .refused("hard link to the root")) { tar, _ in
                tar.hardLink("h", to: "")
            },
        ]

    // MARK: The root

    static let roots: [Breakout] =
        [".", "./", "/", "", "a/.."].flatMap { name in
            [
                Breakout("root \"\(name)\" as a link", .refused("the root can only be a directory")) { tar, canary in
                    tar.symlink(name, to: "/" + canary)
                    tar.file("file", "through")
                },
                Breakout("root \"\(name)\" as a file", .refused("the root can only be a directory")) { tar, _ in
                    tar.file(name, "x")
                },
                Breakout("root \"\(name)\" as a fifo", .refused("the root can only be a directory")) { tar, _ in
                    tar.header(TarForge.Header(name, type: "6"))
                },
            ]
        } + [
            Breakout("parent of the root as a link", .refused(leaves)) { tar, canary in
                tar.symlink("..", to: "/" + canary)
                tar.file("file", "through")
            },
            Breakout("parent of the root as a file", .refused(leaves)) { tar, _ in tar.file("../", "x") },
            Breakout("parent of the root as a directory", .refused(leaves)) { tar, _ in
                tar.directory("/..") {
                    $0.mode = 0o777; $0.uid = 65534
                }
            },
            Breakout("root as a hard link", .refused("the root can only be a directory")) { tar, _ in
                tar.file("f", "x")
                tar.hardLink("/", to: "f")
            },
            Breakout("root as a directory", .inside(["f": "x"])) { tar, _ in
                tar.directory("./") { $0.mode = 0o711 }
                tar.file("f", "x")
            },
        ]

    // MARK: Whiteouts

    static let whiteouts: [Breakout] =
        [".wh.", ".wh..", ".wh...", "d/.wh.", "d/.wh..", "d/.wh...", "/.wh...", "x/.wh..."].map { name in
            Breakout("whiteout \(name)", .refused("a whiteout of nothing")) { tar, canary in
                tar.directory("d")
                tar.symlink("x", to: "/" + canary + "/dir")
                tar.file(name)
            }
        } + [
            Breakout("whiteout outside", .refused(leaves)) { tar, _ in tar.file("../canary/.wh.file") },
            Breakout("whiteout through a link", .inside(["x": "link"])) { tar, canary in
                tar.symlink("x", to: "/" + canary)
                tar.file("x/.wh.file")
            },
            Breakout("whiteout through a relative link", .inside(["x": "link"])) { tar, _ in
                tar.symlink("x", to: "../canary")
                tar.file("x/.wh.dir")
            },
            Breakout("whiteout of a link", .inside(["f": "x"])) { tar, canary in
                tar.symlink("x", to: "/" + canary)
                tar.file(".wh.x")
                tar.file("f", "x")
            },
            Breakout("opaque through a link", .inside(["x": "link"])) { tar, canary in
                tar.symlink("x", to: "/" + canary + "/dir")
                tar.file("x/.wh..wh..opq")
            },
            Breakout("opaque through a relative link", .inside(["x": "link"])) { tar, _ in
                tar.symlink("x", to: "../canary")
                tar.file("x/.wh..wh..opq")
            },
            Breakout("directory named as a whiteout", .refused("a directory named as a whiteout")) { tar, _ in
                tar.file("d/.wh.x/f", "x")
            },
            Breakout("records of AUFS", .inside(["f": "x"])) { tar, _ in
                tar.directory(".wh..wh.plnk")
                tar.file(".wh..wh.plnk/123.456", "x")
                tar.file(".wh..wh.aufs")
                tar.file("f", "x")
            },
        ]

    static let all = names + parents + hardLinks + roots + whiteouts
}
