internal import Glibc
internal import Sys
internal import TestSupport
import Testing

extension EndToEnd {
    /// Root without CAP_SYS_ADMIN, as in a container that was given nothing: it lives as an ordinary user does.
    @Suite(.enabled(if: Conditions.canRun && Conditions.has("setpriv"), "needs root, overlayfs and setpriv"))
    struct LesserRoot {
        private static let without = [
            "setpriv", "--bounding-set=-sys_admin", "--inh-caps=-sys_admin", "--ambient-caps=-sys_admin",
        ]

        /// A program whose places are in its scratch directory, without a data root on the command line.
        private static func line(_ runimg: Runimg, _ arguments: [String]) throws -> [String] {
            for name in ["home", "run"] { try Directory.makePath(runimg.scratch(name), mode: 0o700) }
            return without + [
                "env", "HOME=\(runimg.scratch("home"))", "XDG_RUNTIME_DIR=\(runimg.scratch("run"))", Runimg.path,
                "--config-file", runimg.configFile,
            ] + arguments
        }

        @Test func getsAUserNamespace() throws {
            let runimg = try Runimg()
            func run(_ arguments: String...) throws -> Tool.Output {
                let line = try Self.line(runimg, arguments)
                return try Tool.run(line[0], Array(line.dropFirst()))
            }
            let source = "oci:\(Fixtures.layout("busybox")):latest"
            let first = try run("run", "--rm", "-q", "--name", "first", source, "sh", "-c", "id -u; echo x > /x; ls /x")
            #expect(first.status == 0 && first.stdout == "0\n/x\n", "\(first)")
            let info = try run("info").stdout
            #expect(info.contains("user 0 in a user namespace"), "\(info)")
            #expect(info.contains(" Docker Root Dir: \(runimg.scratch("home"))/.local/share/runimg\n"), "\(info)")
            let id = try #require(try run("run", "-d", "--name", "stays", source, "sleep", "100").lines.first)
            #expect(try run("exec", "stays", "sh", "-c", "grep CapEff /proc/self/status").status == 0)
            #expect(try run("ps", "-q", "--no-trunc").stdout == "\(id)\n")
            #expect(try run("rm", "-f", "stays").status == 0)
            #expect(Wait.until(seconds: 20) { (try? Tool.run("pgrep", ["-f", runimg.scratch.path]).lines) == [] })
        }

        @Test("U6: a data root whose marks can't be seen, or are the other ones, is refused")
        func theOtherRootsStoreIsRefused() throws {
            let engine = try EndToEnd.engine
            let refused = try engine.runimg.run(["run", "--rm", engine.image, "true"], under: Self.without)
            #expect(refused.status == 125 && refused.stderr.contains("was written with root's rights"), "\(refused)")
            let runimg = try Runimg()
            let source = "oci:\(Fixtures.layout("busybox")):latest"
            try #require(try runimg.run(["pull", "-q", source], under: Self.without).status == 0)
            for line in [["run", "--rm", source, "true"], ["pull", source], ["rmi", "busybox"]] {
                let refused = try runimg.run(line)
                #expect(refused.status != 0, "\(refused)")
                #expect(refused.stderr.contains("was written without root's rights"), "\(refused)")
            }
            #expect(try runimg.run(["run", "--rm", "-q", source, "true"], under: Self.without).status == 0)
        }

        enum Confinement: CaseIterable {
            case dockers
            /// With a data root that lies in the container's own files.
            case onOverlayfs
            /// As AppArmor may do it.
            case mountsRefused
        }

        /// The CI job as it is: docker's own confinement around us, no namespace to be had, proot in the image.
        @Test(
            .enabled(
                if: DockerDaemon.isPossible && Conditions.has("proot"),
                "needs Debian's docker from make servers, and proot"),
            .timeLimit(.minutes(Wait.minutes(5))), arguments: Confinement.allCases)
        func worksInADockerContainer(_ confinement: Confinement) throws {
            let docker = try DockerDaemon()
            try docker.importBusybox(as: "job:1")
            let runimg = try Runimg()
            func job(_ place: String) throws {
                let host = ["/usr", "/lib", "/lib64", "/etc", "/opt"]
                let shared = host + [Path.split(Runimg.path).parent, Fixtures.directory]
                var line = ["run", "--rm", "--network", "none", "--tmpfs", "/tmp:exec", "-v", "\(place):\(place)"]
                line += ["-v", "\(runimg.scratch.path):\(runimg.scratch.path)"]
                if confinement == .mountsRefused {
                    // What proot makes of a call that it swallows counts as one of x32.
                    try runimg.scratch.file(
                        "profile",
                        """
                        {"defaultAction": "SCMP_ACT_ALLOW", "syscalls": [{"names": ["mount"], "action": "SCMP_ACT_ERRNO"}],
                        "architectures": ["SCMP_ARCH_X86_64", "SCMP_ARCH_X86", "SCMP_ARCH_X32", "SCMP_ARCH_AARCH64"]}
                        """)
                    line += ["--security-opt", "seccomp=\(runimg.scratch("profile"))"]
                }
                for path in shared where File.exists(path) { line += ["-v", "\(path):\(path):ro"] }
                let script = """
                    r() { "$0" --data-root \(place)/data --config-file \(runimg.configFile) "$@"; }
                    set -e; export HOME=\(place)
                    r pull -q oci:\(Fixtures.layout("layers")):gzip > /tmp/id; image=$(r images -q)
                    r unpack $image \(place)/tree; ls \(place)/tree > /tmp/names
                    r run --name made $image sh -c 'id -u; rm /top; echo new > /new; exit 7' 2> /tmp/said || echo code $?
                    cat /tmp/said >&2; grep -c 'closed off from nothing' /tmp/said
                    r diff made; r commit made more > /tmp/id; r run --rm more sh -c 'cat /new; ls /top' 2>&1 || echo code $?
                    r run -d --name long more sleep 100 > /tmp/id; r exec long cat /new; r stop -t 5 long; r rm long made
                    r info | grep -c 'no user namespace'
                    """
                let output = try docker.run(line + ["job:1", "sh", "-c", script, Runimg.path], timeout: 240)
                let expected = [
                    "0", "code 7", "1", "A /new", "D /top", "new", "ls: /top: No such file or directory", "code 1",
                    "new", "long",
                    "long", "made", "1",
                ]
                #expect(output.status == 0 && output.lines == expected, "\(output)")
            }
            if confinement == .onOverlayfs { return try OverlayDisk.with { try job($0) } }
            try job(try runimg.scratch.directory("job"))
        }
    }
}
