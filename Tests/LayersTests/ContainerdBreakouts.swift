import TestSupport
import Testing

/// The breakouts of containerd's own suite (pkg/archive, TestBreakouts) and umoci's hard links, as a tar below and a tar
/// on top, with what containerd has afterwards.
struct ContainerdBreakout: Sendable, CustomTestStringConvertible {
    enum Check: Sendable {
        /// Both names lead to one file, links followed inside the root.
        case same(String, String)
        case different(String, String)
        case contents(String, String)
        case link(String, to: String)
        case absent(String)
    }

    enum Outcome: Sendable {
        case tree([Check])
        case refused(String)
    }

    let testDescription: String
    var lower: [UInt8] = TarForge.make { _ in }
    let upper: [UInt8]
    let outcome: Outcome
    /// umoci agrees with containerd, so the whole trees are compared.
    var peer = true

    private static let leaves = "the name leaves the layer"

    init(
        _ name: String, _ outcome: Outcome, peer: Bool = true, below: ((inout TarForge) -> Void)? = nil,
        _ upper: (inout TarForge) -> Void
    ) {
        testDescription = name
        self.outcome = outcome
        self.peer = peer
        if let below { lower = TarForge.make(below) }
        self.upper = TarForge.make(upper)
    }

    private static func passwd(_ tar: inout TarForge) {
        tar.directory("etc") { $0.mode = 0o770 }
        tar.file("/etc/passwd", "inside")
    }

    private static let unbroken = Check.contents("etc/unbroken", "unbroken")

    static let symbolic: [ContainerdBreakout] = [
        ContainerdBreakout("SymlinkAbsolute", .tree([unbroken])) { tar in
            tar.directory("etc")
            tar.symlink("localetc", to: "/etc")
            tar.file("/localetc/unbroken", "unbroken")
        },
        ContainerdBreakout("SymlinkUpAndOut", .tree([unbroken])) { tar in
            tar.directory("etc")
            tar.directory("dummy")
            tar.symlink("localetc", to: "/dummy/../etc")
            tar.file("/localetc/unbroken", "unbroken")
        },
        ContainerdBreakout("SymlinkMultipleAbsolute", .tree([unbroken])) { tar in
            tar.directory("etc")
            tar.directory("dummy")
            tar.symlink("/dummy/etc", to: "/etc")
            tar.symlink("localetc", to: "/dummy/etc")
            tar.file("/dummy/etc/unbroken", "unbroken")
        },
        ContainerdBreakout("SymlinkMultipleRelative", .tree([unbroken])) { tar in
            tar.directory("etc")
            tar.directory("dummy")
            tar.symlink("/dummy/etc", to: "/etc")
            tar.symlink("localetc", to: "./dummy/etc")
            tar.file("/dummy/etc/unbroken", "unbroken")
        },
        ContainerdBreakout("SymlinkEmptyFile", .tree([.contents("etc/emptied", "")])) { tar in
            tar.directory("etc")
            tar.file("etc/emptied", "notempty")
            tar.symlink("localetc", to: "/etc")
            tar.file("/localetc/emptied")
        },
        // containerd puts these two inside; docker and we refuse them.
        ContainerdBreakout("SymlinkParentDirectory", .refused(leaves)) { tar in
            passwd(&tar)
            tar.symlink("..", to: "/etc/")
            tar.hardLink("localpasswd", to: "/etc/passwd")
        },
        ContainerdBreakout("SymlinkEmptyFilename", .refused("the root can only be a directory")) { tar in
            passwd(&tar)
            tar.symlink("", to: "/etc/")
            tar.hardLink("localpasswd", to: "/etc/passwd")
        },
        ContainerdBreakout("SymlinkParentRelative", .tree([.same("localetc/localpasswd", "etc/passwd")])) { tar in
            passwd(&tar)
            tar.symlink("localetc/sub/..", to: "/etc/")
            tar.hardLink("/localetc/localpasswd", to: "/etc/passwd")
        },
        ContainerdBreakout("SymlinkSlashEnded", .tree([.same("localetc/localpasswd", "etc/passwd")])) { tar in
            passwd(&tar)
            tar.directory("localetc/") { $0.mode = 0o770 }
            tar.hardLink("/localetc/localpasswd", to: "/etc/passwd")
        },
    ]

    static let overridden: [ContainerdBreakout] = [
        ContainerdBreakout(
            "SymlinkOverrideDirectory", .tree([.same("localetc/localpasswd", "etc/passwd")]),
            below: { tar in
                passwd(&tar)
                tar.directory("/localetc/")
            },
            { tar in
                tar.symlink("localetc", to: "/etc")
                tar.hardLink("/localetc/localpasswd", to: "/etc/passwd")
            }),
        ContainerdBreakout(
            "SymlinkOverrideDirectoryRelative", .tree([.same("localetc/localpasswd", "etc/passwd")]),
            below: { tar in
                passwd(&tar)
                tar.directory("/localetc/")
            },
            { tar in
                tar.symlink("localetc", to: "../../etc")
                tar.hardLink("/localetc/localpasswd", to: "/etc/passwd")
            }),
        ContainerdBreakout(
            "DirectoryOverrideSymlink", .tree([.same("localetc/localpasswd", "etc/passwd")]),
            below: { tar in
                passwd(&tar)
                tar.symlink("localetc", to: "/etc")
            },
            { tar in
                tar.directory("/localetc/")
                tar.hardLink("/localetc/localpasswd", to: "/etc/passwd")
            }),
        ContainerdBreakout(
            "DirectoryOverrideSymlinkAndHardlink", .tree([.different("localetc/localpasswd", "etc/passwd")]),
            below: { tar in
                passwd(&tar)
                tar.symlink("localetc", to: "etc")
                tar.hardLink("/etc/localpasswd", to: "/etc/passwd")
            },
            { tar in
                tar.directory("/localetc/")
                tar.file("/localetc/localpasswd", "different")
            }),
    ]

    static let hardLinks: [ContainerdBreakout] = [
        ContainerdBreakout("HardlinkRelative", .tree([.same("breakouts/mypasswd", "etc/passwd")])) { tar in
            passwd(&tar)
            tar.directory("breakouts")
            tar.symlink("breakouts/d1", to: "../../etc")
            tar.hardLink("breakouts/mypasswd", to: "/breakouts/d1/passwd")
        },
        ContainerdBreakout("HardlinkDownAndOut", .tree([.same("breakouts/mypasswd", "etc/passwd")])) { tar in
            passwd(&tar)
            tar.directory("breakouts")
            tar.directory("downandout")
            tar.symlink("breakouts/d1", to: "../downandout/../../etc")
            tar.hardLink("breakouts/mypasswd", to: "/breakouts/d1/passwd")
        },
        ContainerdBreakout("HardlinkAbsolute", .tree([.same("localpasswd", "etc/passwd")])) { tar in
            passwd(&tar)
            tar.symlink("localetc", to: "/etc")
            tar.hardLink("localpasswd", to: "/localetc/passwd")
        },
        ContainerdBreakout("HardlinkRelativeLong", .tree([.same("localpasswd", "etc/passwd")])) { tar in
            passwd(&tar)
            tar.symlink("localetc", to: "../../../../../../../etc")
            tar.hardLink("localpasswd", to: "/localetc/passwd")
        },
        ContainerdBreakout("HardlinkRelativeUpAndOut", .tree([.same("localpasswd", "etc/passwd")])) { tar in
            passwd(&tar)
            tar.symlink("localetc", to: "upandout/../../../etc")
            tar.hardLink("localpasswd", to: "/localetc/passwd")
        },
        // containerd cuts the dots off; docker and we refuse the layer.
        ContainerdBreakout("HardlinkDirectRelative", .refused(leaves)) { tar in
            passwd(&tar)
            tar.hardLink("localpasswd", to: "../../../../../etc/passwd")
        },
        ContainerdBreakout("HardlinkDirectAbsolute", .tree([.same("localpasswd", "etc/passwd")])) { tar in
            passwd(&tar)
            tar.hardLink("localpasswd", to: "/etc/passwd")
        },
        ContainerdBreakout(
            "HardlinkSymlinkBeforeCreateTarget",
            .tree([.same("localpasswd-dup", "etc/passwd"), .link("localpasswd-dup", to: "/etc/passwd")])
        ) { tar in
            tar.directory("etc")
            tar.symlink("localpasswd", to: "/etc/passwd")
            tar.hardLink("localpasswd-dup", to: "localpasswd")
            tar.file("/etc/passwd", "after")
        },
        ContainerdBreakout(
            "HardlinkSymlinkRelative",
            .tree([.same("localpasswd", "etc/passwd"), .link("localpasswd", to: "../../../../../etc/passwd")])
        ) { tar in
            passwd(&tar)
            tar.symlink("passwdlink", to: "../../../../../etc/passwd")
            tar.hardLink("localpasswd", to: "/passwdlink")
        },
        ContainerdBreakout(
            "HardlinkSymlinkAbsolute",
            .tree([.same("localpasswd", "etc/passwd"), .link("localpasswd", to: "/etc/passwd")])
        ) { tar in
            passwd(&tar)
            tar.symlink("passwdlink", to: "/etc/passwd")
            tar.hardLink("localpasswd", to: "/passwdlink")
        },
        // umoci, TestUnpackHardlink: owners of the headers are not those of the files.
        ContainerdBreakout(
            "UnpackHardlink",
            .tree([.same("hard link", "regular"), .link("hard link to symlink", to: "../../../regular")])
        ) { tar in
            tar.file("regular", "some content")
            tar.hardLink("hard link", to: "/regular") {
                $0.uid = 1337; $0.gid = 2020
            }
            tar.symlink("link", to: "../../../regular")
            tar.hardLink("hard link to symlink", to: "link") {
                $0.uid = 1337; $0.gid = 2020
            }
        },
    ]

    /// The nine cases named Whiteout*, and umoci's plain ".wh.".
    static let whiteouts: [ContainerdBreakout] =
        [
            ("WhiteoutRootParent", ".wh..."), ("WhiteoutParent", "etc/.wh..."), ("WhiteoutRoot", ".wh.."),
            ("WhiteoutCurrentDirectory", "etc/.wh.."), ("WhiteoutOfNothing", ".wh."),
            ("WhiteoutOfNothingBelow", "etc/.wh."),
        ].map { name, entry in
            ContainerdBreakout(name, .refused("a whiteout of nothing"), below: passwd) { $0.file(entry) }
        } + [
            ContainerdBreakout(
                "WhiteoutSymlink", .tree([.contents("etc/passwd", "inside"), .absent("localetc")]),
                below: { tar in
                    passwd(&tar)
                    tar.symlink("localetc", to: "/etc")
                },
                { $0.file(".wh.localetc") }),
            ContainerdBreakout(
                "WhiteoutSymlinkPath", .tree([.contents("etc/passwd", "inside"), .absent("etc/whitedout")]),
                peer: false,
                below: { tar in
                    passwd(&tar)
                    tar.file("etc/whitedout", "ahhhh whiteout")
                    tar.symlink("localetc", to: "/etc")
                },
                { $0.file("localetc/.wh.whitedout") }),
            // containerd makes the directory; a name that the specification reserves is refused here.
            ContainerdBreakout(
                "WhiteoutDirectoryName", .refused("a directory named as a whiteout"), below: passwd,
                { $0.file(".wh.etc/somefile", "non-empty") }),
            ContainerdBreakout(
                "WhiteoutDeadSymlinkParent", .tree([.contents("etc/passwd", "inside")]), peer: false,
                below: { tar in
                    passwd(&tar)
                    tar.symlink("localetc", to: "/dne")
                },
                { $0.file("localetc/.wh.etc") }),
            ContainerdBreakout(
                "WhiteoutRelativePath", .tree([.absent("etc/passwd"), .absent("etc")]), below: passwd,
                { $0.file("dne/../.wh.etc") }),
        ]

    static let all = symbolic + overridden + hardLinks + whiteouts
}
