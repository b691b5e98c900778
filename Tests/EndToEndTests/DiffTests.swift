internal import Sys
internal import TestSupport
import Testing

extension EndToEnd {
    /// `diff`, as docker has it.
    @Suite struct Diff {
        private static let script = """
            echo hi > /etc/new; rm /bin/cat; mkdir /nd; touch /nd/f; chmod 600 /root; rm -r /home; mkdir /home
            touch /home/z; ln -s /etc /lnk; echo a >> /etc/passwd; touch /usr/bin; chmod 600 /etc/group
            chmod 644 /etc/group; rm /probe; mkdir /probe; mkdir -p /tmp/deep/er; touch /data/x
            """

        /// The kinds and paths that docker lists for the same commands.
        private static let expected = [
            "C /bin", "D /bin/cat", "A /data", "C /etc", "A /etc/new", "C /etc/passwd", "C /home", "D /home/alice",
            "A /home/z", "A /lnk", "A /nd", "A /nd/f", "C /probe", "C /root", "C /tmp", "A /tmp/deep",
            "A /tmp/deep/er",
        ]

        @Test func listsWhatDockerLists() throws {
            let box = try ContainerBox(Diff.script, flags: ["-v", "/data"])
            #expect(try box.check("diff", box.name).lines == Diff.expected)
            #expect(try box.check("container", "diff", String(box.id.prefix(12))).lines == Diff.expected)
        }

        @Test func listsARunningContainer() throws {
            let box = try ContainerBox("echo x > /new; echo up; sleep 1000", detached: true)
            #expect(Wait.until(seconds: 10) { (try? box.check("diff", box.name).lines) == ["A /new"] })
        }

        @Test func anUnchangedContainerHasNone() throws {
            let box = try ContainerBox("true")
            #expect(try box.check("diff", box.name).stdout == "")
        }

        @Test func refusesAsDocker() throws {
            let engine = try engine.runimg
            let missing = try engine("diff", "nosuch")
            #expect(missing.status == 1 && missing.stderr.contains("No such container: nosuch"), "\(missing)")
            let none = try engine("diff")
            #expect(none.status == 1 && none.stderr.contains("'runimg diff' requires 1 argument"), "\(none)")
        }
    }
}
