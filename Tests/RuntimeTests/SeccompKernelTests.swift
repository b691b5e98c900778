import Glibc
import OCI
import Sys
import TestSupport
import Testing

@testable import Runtime

/// The default filter in the running kernel: a static C program loads it and makes calls.
@Suite(.enabled(if: Conditions.isRoot && Conditions.has("gcc"), "needs root and gcc")) struct SeccompKernelTests {
    /// Each line of output is `NAME ERRNO`, 0 for success; calls that the kernel itself may refuse are made with
    /// arguments for which it answers otherwise than the filter.
    private static let program = """
        #define _GNU_SOURCE
        #include <errno.h>
        #include <fcntl.h>
        #include <linux/audit.h>
        #include <linux/filter.h>
        #include <linux/seccomp.h>
        #include <sched.h>
        #include <signal.h>
        #include <stdint.h>
        #include <stdio.h>
        #include <string.h>
        #include <sys/socket.h>
        #include <sys/syscall.h>
        #include <sys/wait.h>
        #include <unistd.h>

        static void say(const char *name, long result) {
            printf("%s %d\\n", name, result < 0 ? errno : 0);
            fflush(stdout);
        }

        static int is_expected_child(long pid) {
            if (pid == 0) _exit(0);
            if (pid > 0) waitpid((pid_t)pid, NULL, 0);
            return pid > 0;
        }

        #ifdef __x86_64__
        /* i386's way in, with whatever the caller wants in the high halves. */
        static long int80(uint64_t number, uint64_t a, uint64_t b, uint64_t c) {
            long result;
            __asm__ volatile("int $0x80" : "=a"(result) : "a"(number), "b"(a), "c"(b), "d"(c) : "memory", "r8", "r9",
                             "r10", "r11");
            int code = (int)result;
            if (code < 0 && code > -4096) { errno = -code; return -1; }
            return code;
        }

        static void say32(const char *name, uint64_t number, uint64_t a, uint64_t b, uint64_t c) {
            /* A kernel without IA32 emulation answers with a signal. */
            fflush(stdout);
            pid_t child = fork();
            if (child == 0) {
                errno = 0;
                long result = int80(number, a, b, c);
                _exit(result < 0 ? errno : 0);
            }
            int status = 0;
            waitpid(child, &status, 0);
            printf("%s %d\\n", name, WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status));
            fflush(stdout);
        }
        #endif

        int main(int argc, char **argv) {
            static char filter[65536];
            int file = open(argv[argc - 1], O_RDONLY);
            ssize_t count = read(file, filter, sizeof filter);
            struct sock_fprog program = {(unsigned short)(count / 8), (void *)filter};
            if (count <= 0 || syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &program) != 0) {
                perror("seccomp");
                return 1;
            }
            say("getpid", syscall(SYS_getpid));
            say("999", syscall(999));
            say("4095", syscall(4095));
            say("unshare", unshare(CLONE_NEWUSER));
            say("unshare-none", unshare(0));
            say("setns", setns(-1, 0));
            say("mount", syscall(SYS_mount, NULL, NULL, NULL, 0, NULL));
            say("umount2", syscall(SYS_umount2, "/nonexistent", 0));
            say("pivot_root", syscall(SYS_pivot_root, "/nonexistent", "/nonexistent"));
            say("bpf", syscall(SYS_bpf, -1, NULL, 0));
            say("keyctl", syscall(SYS_keyctl, 0, -3, 0, 0, 0));
            say("add_key", syscall(SYS_add_key, NULL, NULL, NULL, 0, 0));
            say("io_uring_setup", syscall(425, 0, NULL));
            say("userfaultfd", syscall(323, -1));
            say("kexec_load", syscall(SYS_kexec_load, 0, 0, NULL, -1));
            say("perf_event_open", syscall(SYS_perf_event_open, NULL, 0, 0, 0, 0));
            say("sethostname", syscall(SYS_sethostname, NULL, -1));
            say("settimeofday", syscall(SYS_settimeofday, (void *)1, (void *)1));
            say("clone3", syscall(435, NULL, 0));
            say("personality", syscall(SYS_personality, 0xffffffff));
            say("personality-no-randomize", syscall(SYS_personality, 0x0040000));
            say("chroot", syscall(SYS_chroot, "/nonexistent"));
            say("fchmodat2", syscall(452, -1, "x", 0, 0));
            say("socket-inet", socket(AF_INET, SOCK_DGRAM, 0));
            say("socket-unix", socket(AF_UNIX, SOCK_STREAM, 0));
            say("socket-netlink", socket(AF_NETLINK, SOCK_RAW, 0));
            say("socket-audit", socket(AF_NETLINK, SOCK_RAW, 9));
            say("socket-alg", socket(38, SOCK_SEQPACKET, 0));
            say("socket-vsock", socket(40, SOCK_STREAM, 0));
            say("fork", is_expected_child(syscall(SYS_clone, SIGCHLD, 0, 0, 0, 0)) ? 0 : -1);
            say("clone-newuser", syscall(SYS_clone, SIGCHLD | CLONE_NEWUSER, 0, 0, 0, 0));
            say("clone-newns", syscall(SYS_clone, SIGCHLD | CLONE_NEWNS, 0, 0, 0, 0));
        #ifdef __x86_64__
            say("x32-getpid", syscall(0x40000000 | 39));
            say32("i386-getpid", 20, 0, 0, 0);
            say32("i386-mount", 21, 0, 0, 0);
            say32("i386-socket-alg", 359, 38, 5, 0);
            say32("i386-socket-alg-junk", 359, 0xffffffff00000026, 5, 0);
            say32("i386-socket-inet", 359, 2, 2, 0);
            say32("i386-socketcall-socket", 102, 1, 0, 0);
            say32("i386-clone-newuser", 120, SIGCHLD | CLONE_NEWUSER, 0, 0);
            say32("i386-clone-newuser-junk", 120, 0x100000000 | SIGCHLD | CLONE_NEWUSER, 0, 0);
            say32("i386-unshare", 310, CLONE_NEWUSER, 0, 0);
            say32("i386-999", 999, 0, 0, 0);
        #endif
            return 0;
        }
        """

    private static let expected: [String: Int32] = [
        "getpid": 0, "999": ENOSYS, "4095": ENOSYS, "unshare": EPERM, "unshare-none": EPERM, "setns": EPERM,
        "mount": EPERM, "umount2": EPERM, "pivot_root": EPERM, "bpf": EPERM, "keyctl": EPERM, "add_key": EPERM,
        "io_uring_setup": EPERM, "userfaultfd": EPERM, "kexec_load": EPERM, "perf_event_open": EPERM,
        "sethostname": EPERM, "settimeofday": EPERM, "clone3": ENOSYS, "personality": 0,
        "personality-no-randomize": EPERM, "chroot": ENOENT,
        "socket-inet": 0, "socket-unix": 0, "socket-netlink": 0, "socket-audit": EINVAL, "socket-alg": EPERM,
        "socket-vsock": EPERM, "fork": 0, "clone-newuser": EPERM, "clone-newns": EPERM, "x32-getpid": ENOSYS,
        "i386-getpid": 0, "i386-mount": EPERM, "i386-socket-alg": EPERM, "i386-socket-alg-junk": EPERM,
        "i386-socket-inet": 0, "i386-socketcall-socket": ENOSYS, "i386-clone-newuser": EPERM,
        "i386-clone-newuser-junk": EPERM, "i386-unshare": EPERM, "i386-999": ENOSYS,
    ]

    @Test("R20: the kernel answers as the profile says") func theKernelAnswersAsTheProfileSays() throws {
        let scratch = try Scratch()
        let source = try scratch.file("probe.c", Self.program)
        try Tool.check("gcc", ["-O1", "-static", "-o", scratch("probe"), source])
        let profile = SeccompDefault.profile(capabilities: CapabilityProfile.runimg.mask)
        let filter = try scratch.file("filter", SeccompCompiler.compile(profile))
        let output = try Tool.check(scratch("probe"), [filter], timeout: 20)
        var seen: Set<String> = []
        for line in output.lines {
            let words = line.split(separator: " ")
            let name = try #require(words.first.map(String.init))
            let number = try #require(words.last.flatMap { Int32($0) })
            seen.insert(name)
            if name == "fchmodat2" {
                // Known to the profile: the kernel answers (EBADF), or is older than the call.
                #expect(number == EBADF || number == ENOSYS)
            } else if !(name.hasPrefix("i386-") && number < 0) {
                #expect(number == Self.expected[name], "\(name)")
            }
        }
        #expect(seen.count >= 32)
    }
}
