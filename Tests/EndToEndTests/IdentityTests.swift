internal import OCI
internal import Sys
internal import TestSupport
import Testing

extension EndToEnd {
    /// Who the process is and what it holds, whatever the caller, the command line and the image say.
    @Suite struct Identity {
        static let launches: [[String]] = [
            [], ["--privileged"], ["--cap-add", "SYS_ADMIN"], ["--cap-add", "ALL"], ["--cap-drop", "ALL"], ["--init"],
            ["-t"], ["--security-opt", "no-new-privileges"], ["--security-opt", "seccomp=unconfined"],
        ]

        /// Runs the probe under a caller who holds inheritable and ambient capabilities himself.
        static func probeBelowAmbient(_ flags: [String]) throws -> Probe {
            let engine = try EndToEnd.engine
            let wanted = "+chown,+setuid,+net_bind_service,+sys_admin"
            let output = try Tool.check(
                "setpriv",
                [
                    "--inh-caps", wanted, "--ambient-caps", wanted, Runimg.path, "--data-root", engine.runimg.dataRoot,
                    "run", "--rm",
                ] + flags + [engine.image, "/probe"])
            return Probe(String(decoding: output.stdoutBytes.filter { $0 != 13 }, as: UTF8.self))
        }

        @Test(
            "X1: nothing is inheritable or ambient, whoever asks for whatever",
            .enabled(if: Conditions.has("setpriv"), "needs setpriv"), arguments: launches)
        func capabilitiesEndWithTheProcess(_ flags: [String]) throws {
            let root = try Self.probeBelowAmbient(flags)
            #expect(root["cap_inheritable"] == "0000000000000000" && root["cap_ambient"] == "0000000000000000")
            let user = try Self.probeBelowAmbient(flags + ["-u", "1000"])
            #expect(user["uid"] == "1000:1000:1000")
            for set in ["inheritable", "ambient", "effective", "permitted"] {
                #expect(user["cap_\(set)"] == "0000000000000000", "\(set)")
            }
            // As in docker, what a user may get back by a setuid program is bounded by what root would hold.
            #expect(user["cap_bounding"] == root["cap_bounding"])
        }

        @Test("X2: a file that is closed to a group is closed to each of its members")
        func groupsAreAlwaysAllThere() throws {
            let runimg = try Runimg()
            try runimg.check("pull", "-q", "oci:\(Fixtures.layout("busybox")):latest")
            let image = try #require(try runimg("images", "-q").lines.first)
            // `setgid` runs with the group 2000 in the place of its user's own.
            try runimg.check(
                "run", "--rm", "-v", "shared:/v", image, "sh", "-c",
                """
                for g in 63 1000; do echo x > /v/closed-$g; chown 0:$g /v/closed-$g; chmod 606 /v/closed-$g; done
                cp /probe /v/setgid; chown 0:2000 /v/setgid; chmod 2755 /v/setgid; cp /probe /v/plain
                """)
            func read(_ user: [String], _ group: Int, by program: String) throws -> String {
                let command = [image, "/v/\(program)", "read", "/v/closed-\(group)"]
                return try runimg.run(["run", "--rm", "-v", "shared:/v"] + user + command).stdout
            }
            for program in ["plain", "setgid"] {
                for user in [["-u", "1000:1000"], ["-u", "alice"], ["-u", "1000"]] {
                    #expect(try read(user, 1000, by: program) == "read=EACCES\n", "\(user) \(program)")
                }
                let added = ["-u", "1001:1001", "--group-add", "1000"]
                #expect(try read(added, 1000, by: program) == "read=EACCES\n", "\(program)")
                #expect(try read(["-u", "bob"], 63, by: program) == "read=EACCES\n", "\(program)")
                #expect(try read(["-u", "1001:1001"], 1000, by: program) == "read=ok\n", "\(program)")
                #expect(try read(["-u", "alice:users"], 63, by: program) == "read=ok\n", "\(program)")
            }
        }

        @Test(
            "X2: id says what it says in docker",
            arguments: [
                ([], "uid=0(root) gid=0(root) groups=0(root)"),
                (["-u", "alice"], "uid=1000(alice) gid=1000(alice) groups=50(staff),63(audio),1000(alice)"),
                (["-u", "1000"], "uid=1000(alice) gid=1000(alice) groups=50(staff),63(audio),1000(alice)"),
                (["-u", "bob"], "uid=1001(bob) gid=50(staff) groups=50(staff),63(audio)"),
                (["-u", "alice:users"], "uid=1000(alice) gid=100(users) groups=100(users)"),
                (["-u", "1000:1000"], "uid=1000(alice) gid=1000(alice) groups=1000(alice)"),
                (["-u", "77"], "uid=77 gid=0(root) groups=0(root)"), (["-u", "77:88"], "uid=77 gid=88 groups=88"),
                (
                    ["-u", "alice:users", "--group-add", "staff", "--group-add", "99"],
                    "uid=1000(alice) gid=100(users) groups=50(staff),99,100(users)"
                ),
            ])
        func groupsAreDockers(_ flags: [String], _ expected: String) throws {
            #expect(try shell(flags, "id") == expected)
        }

        /// A user, and the uid and gid that it may become; nil for a refusal.
        static let users: [(String, String?)] = [
            ("4294967296", nil), ("4294967295", nil), ("2147483648", "2147483648:0"), ("-1", nil), ("+0", nil),
            ("0x0", nil), ("\u{661}", nil), ("\u{2212}1", nil), (" 0", nil), ("0 ", nil), ("1:", "1:1"), (":1", "0:1"),
            ("1:4294967296", nil), ("1:-1", nil), ("1:0x0", nil), ("18446744073709551616", nil), ("17", "17:0"),
            ("wide", nil), ("minus", nil), ("hex", nil), ("nothing", nil), ("blank", nil),
        ]

        /// Every user that is a number has the name of a line that is root's; every name has a number that others read
        /// as 0.
        static let passwd = """
            root:x:0:0:root:/root:/bin/sh
            daemon:x:1:1::/:/bin/false
            4294967296:x:0:0::/root:/bin/sh
            4294967295:x:0:0::/root:/bin/sh
            2147483648:x:0:0::/root:/bin/sh
            18446744073709551616:x:0:0::/root:/bin/sh
            -1:x:0:0::/root:/bin/sh
            +0:x:0:0::/root:/bin/sh
            17:x:0:0::/root:/bin/sh
            wide:x:4294967296:4294967296::/root:/bin/sh
            minus:x:-1:-1::/root:/bin/sh
            hex:x:0x0:0x0::/root:/bin/sh
            nothing:x:::::
            blank:x: 0: 0::/root:/bin/sh

            """

        @Test(
            "X3: a user that is no user is refused, or is the number that it says, on the command line and in the image"
        )
        func usersAreNeverRootByAccident() throws {
            let runimg = try Runimg()
            let layout = try OCILayout(runimg.scratch("layout"))
            let tar = try ImageForge.tar("mkdir etc; printf '\(Self.passwd.replacing("\n", with: "\\n"))' > etc/passwd")
            for (number, user) in Self.users.enumerated() {
                try layout.tag(
                    try ImageForge.onFixture(layout, tars: [tar]) { $0.config?.user = user.0 }, "user-\(number)")
            }
            try layout.tag(try ImageForge.onFixture(layout, tars: [tar]), "plain")
            try runimg.check("pull", "-q", "oci:\(layout.path):plain")
            let plain = try #require(try runimg("images", "-q").lines.first)
            for (number, (user, expected)) in Self.users.enumerated() {
                let image = "oci:\(layout.path):user-\(number)"
                for command in [["-u", user, plain], ["-q", image]] {
                    let output = try runimg.run(["run", "--rm"] + command + ["sh", "-c", "echo $(id -u):$(id -g)"])
                    if let expected {
                        #expect(output.status == 0 && output.stdout == expected + "\n", "\(output)")
                    } else {
                        #expect(output.status == 125 && output.stdout.isEmpty, "\(output)")
                        #expect(output.stderr.contains("user") || output.stderr.contains("group"), "\(output)")
                    }
                }
            }
        }

        @Test(
            "X6: a passwd or group file that is a trap is refused in bounded memory",
            arguments: ["passwd", "group"], ["fifo", "device", "endless", "huge", "directory", "links", "outside"])
        func aUserDatabaseThatIsATrap(_ name: String, _ kind: String) throws {
            let runimg = try Runimg()
            try runimg.check("pull", "-q", "oci:\(Fixtures.layout("busybox")):latest")
            let image = try #require(try runimg("images", "-q").lines.first)
            let outside = try runimg.scratch.file("outside", name == "passwd" ? "alice:x:0:0::/:\n" : "staff:x:0:\n")
            // The unpacked layer itself is changed: an image could carry each of these.
            let layer = try #require(
                try Directory.entries("\(runimg.dataRoot)/overlay2").map(\.name).first { $0 != "l" })
            let script = """
                cd "$1/etc"; rm "$2"; case $3 in
                fifo) mkfifo "$2";; device) mknod "$2" c 1 5;; endless) ln -s ../dev/zero "$2"; mknod ../dev/zero c 1 5;;
                huge) truncate -s 2G "$2";; directory) mkdir "$2";;
                links) ln -s /etc/l40 "$2"; for n in $(seq 40); do ln -s /etc/l$((n-1)) l$n; done; echo a:x:5:5::/: > l0;;
                outside) ln -s "/../../../../../../../../../$4" "$2";; esac
                """
            try Tool.check(
                "bash", ["-euc", script, "sh", "\(runimg.dataRoot)/overlay2/\(layer)/diff", name, kind, outside])
            // 2 GiB do not fit into the address space that it is given; a sanitizer's shadow would not either.
            let room = Conditions.isSanitized ? "unlimited" : "1000000"
            let output = try Tool.run(
                "bash",
                [
                    "-c", #"ulimit -v \#(room); exec "$0" "$@""#, Runimg.path, "--data-root", runimg.dataRoot, "run",
                    "--rm",
                    "-u", name == "passwd" ? "alice" : "alice:staff", image, "id", "-u",
                ], timeout: 30)
            #expect(output.status == 125 && output.stdout.isEmpty && !output.timedOut, "\(output)")
            #expect(output.stderr.contains(kind == "outside" ? "unable to find" : "/etc/"), "\(output)")
        }

        @Test("X6: a passwd file behind absolute and relative links of the image is read, forty at most")
        func aUserDatabaseBehindLinks() throws {
            let runimg = try Runimg()
            let layout = try OCILayout(runimg.scratch("layout"))
            let script = """
                mkdir -p etc nix/store/abc-etc; echo 'carol:x:1234:5678::/:/bin/sh' > nix/store/abc-etc/passwd
                ln -s /nix/store/abc-etc/passwd l0; for n in $(seq 39); do ln -s ../../../l$((n-1)) l$n; done
                ln -s /l38 etc/passwd
                """
            try layout.tag(try ImageForge.onFixture(layout, tars: [try ImageForge.tar(script)]), "links")
            let output = try runimg(
                "run", "--rm", "-q", "-u", "carol", "oci:\(layout.path):links", "sh", "-c", "id -u; id -g")
            #expect(output.stdout == "1234\n5678\n", "\(output)")
        }
    }
}
