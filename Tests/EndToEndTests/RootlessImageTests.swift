internal import Glibc
internal import OCI
internal import Sys
internal import TestSupport
import Testing

/// What images become in an ordinary user's store.
@Suite(
    .enabled(if: Conditions.canRun && OrdinaryUser.isPossible, "\(OrdinaryUser.need)"))
struct RootlessImageTests {
    /// A layout that the user can read, of the fixture and these tars.
    private static func layout(_ runimg: Runimg, _ tars: [[UInt8]]) throws -> String {
        let path = runimg.scratch("layout")
        let layout = try OCILayout(path)
        try layout.tag(try ImageForge.onFixture(layout, tars: tars), "latest")
        try Tool.check("chmod", ["-R", "a+rX", path])
        return "oci:\(path):latest"
    }

    private static let first = """
        mkdir -p kept/deep gone hidden; echo a > kept/file; ln kept/file kept/link; ln -s file kept/soft
        echo b > gone/file; echo c > hidden/below; chown 1000:1001 kept/file; chmod 4755 kept/file
        chown -h 7:8 kept/soft; chmod 1777 kept/deep; mkfifo kept/fifo; setfattr -n user.note -v text kept/deep
        setfattr -n user.mark -v x hidden; truncate -s 1M kept/sparse
        """

    private static let second = """
        mkdir -p kept hidden; touch kept/.wh.soft .wh.gone hidden/.wh..wh..opq; echo d > hidden/new
        echo more > kept/deep2; chown 65534:65534 kept/deep2
        """

    /// All files of a container as `export` gives them, unpacked by tar.
    private static func exported(_ runimg: Runimg, _ image: String) throws -> TreeListing {
        let script = "rm /kept/fifo; rm -r /hidden; mkdir /hidden; touch -d @1 /hidden; chown 5:6 /kept/deep2"
        try runimg.check("run", "--name", "tree", "-q", image, "sh", "-c", script)
        let tar = runimg.scratch("home.tar")
        let bytes = try runimg.check("export", "tree").stdoutBytes
        try runimg.check("rm", "tree")
        try runimg.scratch.file("home.tar", bytes)
        let place = try runimg.scratch.directory("exported")
        let options = ["--numeric-owner", "--xattrs", "--xattrs-include=*", "-xpf", tar, "-C", place]
        try Tool.check("tar", options)
        return try TreeListing(place, [.digests, .xattrs])
    }

    @Test("F33: a tree is the same as root's: modes, owners, attributes, links, what is deleted")
    func theTreeIsRoots() throws {
        let tars = [try ImageForge.tar(Self.first), try ImageForge.tar(Self.second)]
        let root = try Runimg()
        let expected = try Self.exported(root, try Self.layout(root, tars))
        #expect(expected.entries["hidden/below"] == nil && expected.entries["kept/link"] != nil)
        try RootlessTests.isolated { runimg in
            let found = try Self.exported(runimg, try Self.layout(runimg, tars))
            #expect(found.differences(from: expected) == [])
            #expect(found.entries.count > 30)
        }
    }

    @Test("U8: device nodes are left out without root, and that is said") func devicesAreLeftOut() throws {
        let tar = TarForge.make { tar in
            tar.member(TarForge.Header("disk", type: "4").with { ($0.major, $0.minor) = (8, 0) }, [])
            tar.member(TarForge.Header("mem", type: "3").with { ($0.major, $0.minor) = (1, 1) }, [])
            tar.file("file", "x")
        }
        try RootlessTests.isolated { runimg in
            let image = try Self.layout(runimg, [tar])
            let pulled = try runimg.check("pull", "-q", image)
            #expect(
                pulled.stderr.contains("2 device nodes of the image left out: only root can make them"), "\(pulled)")
            let seen = try runimg("run", "--rm", "-q", image, "sh", "-c", "cat /file; ls /disk /mem")
            #expect(seen.stdout == "x" && seen.stderr.contains("/disk: No such file"), "\(seen)")
        }
    }

    @Test func anOwnerBeyondTheRangeIsNamed() throws {
        let tar = TarForge.make { tar in tar.file("far", "x") { $0.uid = 300_000 } }
        try RootlessTests.isolated { runimg in
            let refused = try runimg("pull", "-q", try Self.layout(runimg, [tar]))
            #expect(refused.status == 1, "\(refused)")
            for text in ["\"far\"", "belongs to 300000:0", "users 0 to 65536", "/etc/subuid"] {
                #expect(refused.stderr.contains(text), "\(refused)")
            }
            #expect(try runimg.check("images", "-q").lines == [])
        }
    }

    @Test(.enabled(if: RunMode.fuse.obstacle == nil, "needs fuse-overlayfs and a user who may open /dev/fuse"))
    func whatFuseHidesTheKernelHides() throws {
        try RootlessTests.isolated { runimg in
            try runimg.check("pull", "-q", RootlessTests.image)
            let image = try #require(try runimg.check("images", "-q").lines.first)
            let script = """
                [ -e /done ] && exec ls -A /home /var
                rm -r /home /var && mkdir /home /var && touch /home/new /done
                """
            try runimg.check(
                "--storage-driver", "fuse-overlayfs", "run", "--name", "switched", image, "sh", "-c", script)
            let changes = ["C /home", "D /home/alice", "A /home/new", "D /var/log"]
            #expect(Set(try runimg.check("diff", "switched").lines).isSuperset(of: changes))
            let shown = try runimg.check("--storage-driver", "overlay2", "start", "-a", "switched")
            #expect(shown.stdout == "/home:\nnew\n\n/var:\n", "\(shown)")
            #expect(Set(try runimg.check("diff", "switched").lines).isSuperset(of: changes))
        }
    }

    @Test(
        "F16: a monitor that is killed leaves no fuse-overlayfs, and the kernel hides what that hid",
        .enabled(if: RunMode.fuse.obstacle == nil, "needs fuse-overlayfs and a user who may open /dev/fuse"))
    func aKillLeavesTheLayerToTheNextStart() throws {
        try RootlessTests.isolated { runimg in
            try runimg.check("pull", "-q", RootlessTests.image)
            let image = try #require(try runimg.check("images", "-q").lines.first)
            let script = """
                [ -e /done ] && exec ls -A /home /var
                rm -r /home /var; mkdir /home /var; touch /home/new; touch /done; while :; do sleep 1; done
                """
            let driver = ["--storage-driver", "fuse-overlayfs"]
            let id = try #require(try runimg.run(driver + ["run", "-d", image, "sh", "-c", script]).lines.first)
            #expect(Wait.until(seconds: 20) { (try? runimg("exec", id, "test", "-e", "/done").status) == 0 })
            kill(try #require(EndToEnd.Lifecycle.monitor(of: id)), SIGKILL)
            let pattern = "fuse-overlayfs.*\(runimg.dataRoot)"
            // Nobody need come: it goes with the namespace that it was mounted in, or with the next command.
            let isGone = Wait.until(seconds: 10) {
                _ = try? runimg("ps")
                return (try? Tool.run("pgrep", ["-f", pattern]).lines) == []
            }
            #expect(isGone)
            let shown = try runimg.check("--storage-driver", "overlay2", "start", "-a", id)
            #expect(shown.stdout == "/home:\nnew\n\n/var:\n", "\(shown)")
        }
    }

    @Test func mountShowsACopy() throws {
        try RootlessTests.isolated { runimg in
            try runimg.check("pull", "-q", RootlessTests.image)
            let image = try #require(try runimg.check("images", "-q").lines.first)
            let shown = try #require(try runimg.check("mount", image).lines.first)
            #expect(File.exists("\(shown)/bin/busybox"))
            try runimg.check("create", "--name", "copied", image, "cat", "/made")
            let path = try #require(try runimg.check("mount", "copied").lines.first)
            try Tool.check("sh", ["-c", "echo mine > \(path)/made"])
            #expect(try runimg.check("mount").lines.count == 2)
            #expect(try runimg.check("start", "-a", "copied").stdout == "mine\n")
            try runimg.check("unmount", "-a")
            #expect(try runimg.check("start", "-a", "copied").stdout == "mine\n")
            try runimg.check("run", "-d", "--name", "runs", image, "sleep", "100")
            let refused = try runimg("mount", "runs")
            #expect(refused.status == 125 && refused.stderr.contains("cp copies files from it"), "\(refused)")
        }
    }
}
