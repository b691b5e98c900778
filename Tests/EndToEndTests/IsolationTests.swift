internal import Glibc
internal import Sys
internal import TestSupport
import Testing

extension EndToEnd {
    /// What a container may see and do.
    @Suite struct Isolation {
        static func hostNamespace(_ name: String) throws -> String {
            "\(try File.status("/proc/self/ns/\(name)", follow: true).inode)"
        }

        @Test func everyNamespaceIsItsOwn() throws {
            let probe = try probe()
            for name in ["cgroup", "ipc", "mnt", "net", "pid", "uts"] {
                let host = try Self.hostNamespace(name)
                #expect(probe["ns.\(name)"] != nil && probe["ns.\(name)"] != host, "\(name)")
            }
            let user = try Self.hostNamespace("user")
            #expect(probe["ns.user"] == user)
        }

        @Test(arguments: ["pid", "ipc", "uts"]) func theHostsNamespaceWhenAskedFor(_ name: String) throws {
            let probe = try probe("--\(name)", "host")
            let host = try Self.hostNamespace(name)
            #expect(probe["ns.\(name)"] == host)
        }

        @Test func networkNoneHasLoopbackOnly() throws {
            #expect(try probe("--network", "none").all("interface.") == ["lo": "up"])
            #expect(try shell(["--network", "none"], "ping -c 1 -W 2 127.0.0.1 >/dev/null && echo up") == "up")
        }

        @Test func networkHostIsTheHosts() throws {
            let probe = try probe("--network", "host")
            let host = try Self.hostNamespace("net")
            #expect(probe["ns.net"] == host)
            let text = String(decoding: try File.readAll("/proc/self/net/dev"), as: UTF8.self)
            let listed = text.split(separator: "\n").dropFirst(2).compactMap { line in
                line.split(separator: ":").first.map { String($0.drop { $0 == " " }) }
            }
            // Other tests' containers come and go, and the first of them makes the bridge.
            let own = { (name: String) in !name.hasPrefix("veth") && name != "runimg0" }
            #expect(Set(probe.all("interface.").keys.filter(own)) == Set(listed.filter(own)))
        }

        @Test("X1: capabilities are the recommended twelve") func capabilitiesAreTheRecommendedTwelve() throws {
            let probe = try probe()
            // threats.md section 3: docker's fourteen without MKNOD and AUDIT_WRITE.
            for key in ["cap_permitted", "cap_effective", "cap_bounding"] { #expect(probe[key] == "00000000800425fb") }
            for key in ["cap_inheritable", "cap_ambient"] { #expect(probe[key] == "0000000000000000") }
        }

        @Test(
            "X1: capabilities are added and dropped",
            arguments: [
                (["--cap-profile", "docker"], "00000000a80425fb"),
                (["--cap-profile", "podman"], "00000000800405fb"),
                (["--cap-drop", "ALL"], "0000000000000000"),
                (["--cap-drop", "all", "--cap-add", "chown"], "0000000000000001"),
                (["--cap-drop", "ALL", "--cap-add", "CAP_NET_BIND_SERVICE"], "0000000000000400"),
                (["--cap-add", "SYS_ADMIN"], "00000000802425fb"),
                (["--cap-drop", "NET_RAW", "--cap-drop", "KILL"], "00000000800405db"),
            ])
        func capabilitiesAreAddedAndDropped(_ flags: [String], _ expected: String) throws {
            let output = Probe(try run(flags, "/probe").stdout)
            for key in ["cap_permitted", "cap_effective", "cap_bounding"] { #expect(output[key] == expected) }
            for key in ["cap_inheritable", "cap_ambient"] { #expect(output[key] == "0000000000000000") }
        }

        @Test func privilegedHasAll() throws {
            let last = String(decoding: try File.readAll("/proc/sys/kernel/cap_last_cap", limit: 16), as: UTF8.self)
            let count = try #require(UInt64(last.split(separator: "\n").first ?? "")) + 1
            let probe = try probe("--privileged")
            let bounding = try #require(UInt64(probe["cap_bounding"] ?? "", radix: 16))
            let own = try Probe(
                Tool.check("sed", ["-n", "s/^CapBnd:\\t/bounding=/p", "/proc/self/status"]).stdout)["bounding"]
            #expect(bounding == UInt64(own ?? "", radix: 16) && bounding < 1 << count)
            #expect(probe["seccomp"] == "0" && probe["cap_ambient"] == "0000000000000000")
            #expect(probe["read./proc/interrupts"] == "readable")
            #expect(probe.mount(at: "/sys")?.options.contains("rw") == true)
            #expect(probe.all("dev.").count > 15)
            #expect(probe["call.mount"] == "ok" && probe["call.mknod_char"] == "ok")
        }

        @Test("R20: the default filter refuses what reaches the host") func theDefaultFilterRefusesWhatReachesTheHost()
            throws
        {
            let calls = try probe().all("call.")
            for name in [
                "add_key", "bpf", "clone_user", "delete_module", "fsopen", "init_module", "io_uring_setup",
                "kexec_load",
                "keyctl", "mount", "mount_bind", "mount_setattr", "move_mount", "open_by_handle_at", "open_tree",
                "perf_event_open", "pivot_root", "quotactl", "reboot", "request_key", "sethostname", "setns",
                "settimeofday", "socket_alg", "socket_vsock", "swapon", "syslog", "umount2", "unshare_ns",
                "unshare_user", "userfaultfd", "acct", "iopl", "mknod_char", "personality",
            ] {
                #expect(calls[name] == "EPERM", "\(name)")
            }
            // New and unknown ones must look as on an older kernel, or new C libraries break.
            for name in ["unknown_999", "clone3"] { #expect(calls[name] == "ENOSYS", "\(name)") }
            for name in ["fchmodat2", "mseal"] { #expect(calls[name] != "EPERM", "\(name)") }
            for name in ["chown", "chroot", "ptrace", "socket_netlink", "socket_raw", "personality_query"] {
                #expect(calls[name] == "ok" || calls[name] == "ENOENT", "\(name)")
            }
            // PAM takes this for a kernel without audit.
            #expect(calls["socket_audit"] == "EINVAL")
        }

        #if arch(x86_64)
            @Test("R20: the filter holds for other calling conventions") func theFilterHoldsForOtherCallingConventions()
                throws
            {
                let calls = try probe().all("call.")
                #expect(calls["x32_getpid"] == "ENOSYS")
                #expect(calls["i386_getpid"] == "ok")
                for name in ["i386_mount", "i386_unshare_user", "i386_keyctl", "i386_socket_alg"] {
                    #expect(calls[name] == "EPERM", "\(name)")
                }
            }
        #endif

        @Test func theFilterAlsoHoldsWithoutCapabilities() throws {
            for flags in [["-u", "alice"], ["--cap-drop", "ALL"], ["--cap-add", "SYS_ADMIN"]] {
                let probe = Probe(try run(flags, "/probe").stdout)
                #expect(
                    probe["seccomp"] == "2" && probe["call.keyctl"] == "EPERM" && probe["call.socket_alg"] == "EPERM")
            }
            // With the capability the calls that need it are let through, as docker does.
            #expect(try probe("--cap-add", "SYS_ADMIN")["call.unshare_ns"] == "ok")
        }

        @Test func noNewPrivilegesWhenAskedFor() throws {
            #expect(try probe()["no_new_privs"] == "0")
            #expect(try probe("--security-opt", "no-new-privileges")["no_new_privs"] == "1")
            #expect(try probe("--security-opt", "no-new-privileges:true", "-u", "alice")["no_new_privs"] == "1")
        }

        @Test func theFilterCanBeChosen() throws {
            #expect(try probe("--security-opt", "seccomp=unconfined")["seccomp"] == "0")
            let scratch = try Scratch()
            let profile = """
                {"defaultAction": "SCMP_ACT_ALLOW",
                 "syscalls": [{"names": ["sethostname", "chroot"], "action": "SCMP_ACT_ERRNO", "errnoRet": 99}]}
                """
            let file = try scratch.file("profile.json", profile)
            let probe = try probe("--security-opt", "seccomp=\(file)")
            #expect(probe["seccomp"] == "2" && probe["call.chroot"] == "EADDRNOTAVAIL")
            #expect(probe["call.keyctl"] == "ok" || probe["call.keyctl"] == "ENOKEY")
            let bad = try run(["--security-opt", "seccomp=\(try scratch.file("bad.json", "{"))"], "true")
            #expect(bad.status == 125 && bad.stderr.contains("bad.json"), "\(bad)")
            let missing = try run(["--security-opt", "seccomp=\(scratch("none"))"], "true")
            #expect(missing.status == 125 && missing.stderr.contains(scratch("none")), "\(missing)")
        }

        @Test("R17: the host's files are masked or read only") func theHostsFilesAreMaskedOrReadOnly() throws {
            let probe = try probe()
            for path in [
                "/proc/acpi", "/proc/asound", "/proc/interrupts", "/proc/kcore", "/proc/keys", "/proc/latency_stats",
                "/proc/sched_debug", "/proc/scsi", "/proc/timer_list", "/proc/timer_stats", "/proc/kpagecount",
                "/proc/kpageflags", "/proc/kpagecgroup", "/sys/firmware", "/sys/devices/virtual/powercap",
                "/sys/kernel/debug", "/sys/kernel/tracing", "/sys/kernel/security",
                "/sys/devices/system/cpu/cpu0/thermal_throttle",
            ] {
                #expect(["masked", "empty", "ENOENT"].contains(probe["read.\(path)"]), "\(path)")
            }
            for path in [
                "/proc/sys/kernel/core_pattern", "/proc/sys/kernel/domainname", "/proc/sys/net/ipv4/ip_forward",
                "/sys/kernel", "/sys/fs/cgroup", "/proc/sysrq-trigger",
            ] {
                #expect(["EROFS", "ENOENT", "EACCES", "EPERM"].contains(probe["write.\(path)"]), "\(path)")
            }
            for path in ["/", "/etc", "/tmp", "/dev/shm", "/dev/mqueue"] { #expect(probe["write.\(path)"] == "ok") }
        }

        /// Pressure files take a process's own triggers (psi.rst).
        @Test("R17: of /proc and /sys only reviewed files are open for writing", arguments: [[], ["--init", "-t"]])
        func onlyReviewedFilesAreWritable(_ flags: [String]) throws {
            let output = try run(flags, "/probe", "writable")
            let reviewed = ["cpu", "io", "irq", "memory"].map { "writable=/proc/pressure/\($0)" }
            #expect(output.status == 0)
            for line in output.stdout.split(whereSeparator: \.isNewline) { #expect(reviewed.contains(String(line))) }
        }

        @Test("R1: the program that started it cannot be written") func theProgramThatStartedItCannotBeWritten() throws
        {
            // threats.md R1 (CVE-2019-5736): /proc/self/exe of whatever ran before the user's command.
            let before = try Tool.check("sha256sum", [Runimg.path, Runimg.workerPath]).stdout
            let probe = try probe()
            #expect(["ETXTBSY", "EROFS", "EPERM", "EACCES"].contains(probe["write./proc/1/exe"]))
            for flags in [[], ["--init"], ["--privileged"]] {
                let output = try run(flags, "/probe", "writeexe", "/proc/1/exe")
                #expect(!output.stdout.contains("write=ok"), "\(output)")
            }
            #expect(try shell(["--init"], "readlink /proc/1/exe").hasPrefix("/memfd:runimg-init"))
            // An image whose shell is the runtime itself: the command must not be a binary of the host.
            let own = try run(["--entrypoint", "/proc/self/exe"], "version")
            #expect(!own.stdout.contains("runimg"), "\(own)")
            #expect(try Tool.check("sha256sum", [Runimg.path, Runimg.workerPath]).stdout == before)
        }

        @Test func theOldRootIsGone() throws {
            let mounts = try shell([], "cat /proc/self/mountinfo")
            #expect(!mounts.contains(" /oldroot") && !mounts.contains(".pivot"))
            let points = mounts.split(separator: "\n").map { $0.split(separator: " ")[4] }
            #expect(points.filter { $0 == "/" }.count == 1)
            #expect(try shell([], "ls /proc/1/root/work 2>/dev/null | wc -l") == "0")
        }

        @Test("R16: parameters of its namespaces only") func parametersOfItsNamespacesOnly() throws {
            #expect(try shell(["--sysctl", "net.ipv4.ip_forward=1"], "cat /proc/sys/net/ipv4/ip_forward") == "1")
            #expect(try shell(["--sysctl", "kernel.shm_rmid_forced=1"], "cat /proc/sys/kernel/shm_rmid_forced") == "1")
            let before = try File.readAll("/proc/sys/kernel/core_pattern", limit: 4096)
            for name in [
                "kernel.core_pattern=x", "vm.swappiness=1", "net.ipv4.x=1+kernel.y",
                "net.ipv4/../../kernel/core_pattern=x",
                "kernel.shm_rmid_forced/../core_pattern=x",
            ] {
                let output = try run(["--sysctl", name], "true")
                #expect(output.status == 125, "\(output)")
            }
            #expect(try run(["--network", "host", "--sysctl", "net.ipv4.ip_forward=1"], "true").status == 125)
            #expect(try File.readAll("/proc/sys/kernel/core_pattern", limit: 4096) == before)
        }

        @Test func theDefaultParametersAreDockers() throws {
            #expect(try shell([], "cat /proc/sys/net/ipv4/ip_unprivileged_port_start") == "0")
            #expect(
                try shell([], "cat /proc/sys/net/ipv4/ping_group_range").split { $0 == "\t" || $0 == " " }.last
                    == "2147483647")
        }

        @Test("X12: keys are refused and masked") func theKeyringIsItsOwn() throws {
            // keyctl is refused by the filter, so the host's keys can be looked for only by /proc/keys, which is masked.
            let probe = try probe()
            #expect(probe["call.keyctl"] == "EPERM" && ["masked", "ENOENT"].contains(probe["read./proc/keys"]))
        }

        @Test func processesOfOthersAreNotSeen() throws {
            let names = try shell([], "ls -d /proc/[0-9]* | wc -l")
            #expect(try #require(Int(names)) < 6)
            #expect(try #require(Int(shell(["--pid", "host"], "ls -d /proc/[0-9]* | wc -l"))) > 6)
        }
    }
}
