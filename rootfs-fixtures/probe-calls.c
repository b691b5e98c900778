// What the kernel and the seccomp filter say to system calls. Each is made in a child of its own, because some of them
// would change us if they worked; arguments are such that success does no harm.
#define _GNU_SOURCE
#include "probe.h"

#include <linux/bpf.h>
#include <linux/sched.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/time.h>
#include <sys/utsname.h>
#include <sys/wait.h>

static long call_acct(void) { return syscall(SYS_acct, "/proc/self/nothing"); }
static long call_add_key(void) { return syscall(SYS_add_key, "user", "probe", "x", 1, -3); }
static long call_bpf(void) {
    union bpf_attr attributes = {.map_type = 2, .key_size = 4, .value_size = 4, .max_entries = 1};
    return syscall(SYS_bpf, 0, &attributes, sizeof attributes);
}
static long call_chown(void) { return syscall(SYS_fchownat, AT_FDCWD, "/proc/self/nothing", 0, 0, 0); }
static long call_chroot(void) { return syscall(SYS_chroot, "/"); }
static long child_of_clone(long pid) {
    if (pid == 0) _exit(0);
    return pid;
}
static long call_clone_user(void) {
    return child_of_clone(syscall(SYS_clone, CLONE_NEWUSER | SIGCHLD, 0, 0, 0, 0));
}
static long call_clone3(void) {
    struct clone_args arguments = {.exit_signal = SIGCHLD};
    return child_of_clone(syscall(SYS_clone3, &arguments, sizeof arguments));
}
static long call_delete_module(void) { return syscall(SYS_delete_module, "no-such-module", 0); }
static long call_fchmodat2(void) { return syscall(452, AT_FDCWD, "/", 0755, 0x80000000u); }
static long call_fsopen(void) { return syscall(430, "tmpfs", 0); }
static long call_init_module(void) { return syscall(SYS_init_module, "", 0, ""); }
static long call_io_uring_setup(void) { return syscall(425, 0, NULL); }
static long call_iopl(void) {
#ifdef SYS_iopl
    return syscall(SYS_iopl, 0);
#else
    errno = ENOSYS;
    return -1;
#endif
}
static long call_kexec_load(void) { return syscall(SYS_kexec_load, 0, 0, NULL, 0); }
static long call_keyctl(void) { return syscall(SYS_keyctl, 0, -3, 0); }
static long call_mknod_char(void) {
    long result = syscall(SYS_mknodat, AT_FDCWD, "/probe-node", S_IFCHR | 0600, makedev(1, 3));
    if (result == 0) unlink("/probe-node");
    return result;
}
static long call_mount(void) { return mount("none", "/", "tmpfs", 0, "size=4k"); }
static long call_mount_bind(void) { return mount("/", "/", NULL, MS_BIND, NULL); }
static long call_mount_setattr(void) { return syscall(442, -1, "", 0, NULL, 0); }
static long call_move_mount(void) { return syscall(429, -1, "", -1, "", 0); }
static long call_mseal(void) { return syscall(462, 0, 0, 0); }
static long call_name_to_handle_at(void) { return syscall(SYS_name_to_handle_at, -1, "", NULL, NULL, 0); }
static long call_open_by_handle_at(void) { return syscall(SYS_open_by_handle_at, -1, NULL, 0); }
static long call_open_tree(void) { return syscall(428, AT_FDCWD, "/", 0); }
static long call_perf_event_open(void) { return syscall(SYS_perf_event_open, NULL, 0, -1, -1, 0); }
static long call_personality(void) { return syscall(SYS_personality, 0x0040000); }
static long call_personality_query(void) { return syscall(SYS_personality, 0xffffffff); }
static long call_pivot_root(void) { return syscall(SYS_pivot_root, "/", "/"); }
static long call_process_vm_readv(void) { return syscall(SYS_process_vm_readv, getpid(), NULL, 0, NULL, 0, 0); }
static long call_ptrace(void) { return ptrace(PTRACE_TRACEME, 0, NULL, NULL); }
static long call_quotactl(void) { return syscall(SYS_quotactl, 0, "/", 0, NULL); }
static long call_reboot(void) { return syscall(SYS_reboot, 0, 0, 0, NULL); }
static long call_request_key(void) { return syscall(SYS_request_key, "user", "probe", NULL, -3); }
static long call_sethostname(void) {
    struct utsname names;
    uname(&names);
    return sethostname(names.nodename, strlen(names.nodename));
}
static long call_setns(void) { return syscall(SYS_setns, -1, CLONE_NEWNET); }
static long call_settimeofday(void) { return syscall(SYS_settimeofday, NULL, NULL); }
static long call_socket_alg(void) { return socket(38, SOCK_SEQPACKET, 0); }
static long call_socket_audit(void) { return socket(AF_NETLINK, SOCK_RAW, 9); }
static long call_socket_netlink(void) { return socket(AF_NETLINK, SOCK_RAW, 0); }
static long call_socket_packet(void) { return socket(AF_PACKET, SOCK_RAW, 0); }
static long call_socket_raw(void) { return socket(AF_INET, SOCK_RAW, 1); }
static long call_socket_vsock(void) { return socket(40, SOCK_STREAM, 0); }
static long call_swapon(void) { return syscall(SYS_swapon, "/proc/self/nothing", 0); }
static long call_syslog(void) { return syscall(SYS_syslog, 10, NULL, 0); }
static long call_umount2(void) { return umount2("/proc/self/nothing", 0); }
static long call_unknown_999(void) { return syscall(999); }
static long call_unshare_ns(void) { return unshare(CLONE_NEWNS); }
static long call_unshare_user(void) { return unshare(CLONE_NEWUSER); }
static long call_userfaultfd(void) { return syscall(SYS_userfaultfd, 0); }

#ifdef __x86_64__
static long call_x32_getpid(void) { return syscall(0x40000000 | SYS_getpid); }
/// getpid by the 32-bit entry; the kernel answers as for i386 (arch/x86/entry/syscalls/syscall_32.tbl).
static long legacy(long number, long a, long b, long c) {
    long result;
    __asm__ volatile("int $0x80" : "=a"(result) : "a"(number), "b"(a), "c"(b), "d"(c) : "r8", "r9", "r10", "r11", "memory");
    if (result >= 0) return result;
    errno = (int)-result;
    return -1;
}
static long call_i386_getpid(void) { return legacy(20, 0, 0, 0); }
static long call_i386_mount(void) { return legacy(21, 0, 0, 0); }
static long call_i386_unshare_user(void) { return legacy(310, CLONE_NEWUSER, 0, 0); }
static long call_i386_keyctl(void) { return legacy(288, 0, -3, 0); }
static long call_i386_socket_alg(void) { return legacy(359, 38, SOCK_SEQPACKET, 0); }
#endif

static const struct { const char *name; long (*call)(void); } calls[] = {
    {"acct", call_acct}, {"add_key", call_add_key}, {"bpf", call_bpf}, {"chown", call_chown},
    {"chroot", call_chroot}, {"clone3", call_clone3}, {"clone_user", call_clone_user},
    {"delete_module", call_delete_module}, {"fchmodat2", call_fchmodat2}, {"fsopen", call_fsopen},
    {"init_module", call_init_module}, {"io_uring_setup", call_io_uring_setup}, {"iopl", call_iopl},
    {"kexec_load", call_kexec_load}, {"keyctl", call_keyctl}, {"mknod_char", call_mknod_char},
    {"mount", call_mount}, {"mount_bind", call_mount_bind}, {"mount_setattr", call_mount_setattr},
    {"move_mount", call_move_mount}, {"mseal", call_mseal}, {"name_to_handle_at", call_name_to_handle_at},
    {"open_by_handle_at", call_open_by_handle_at}, {"open_tree", call_open_tree},
    {"perf_event_open", call_perf_event_open}, {"personality", call_personality},
    {"personality_query", call_personality_query}, {"pivot_root", call_pivot_root},
    {"process_vm_readv", call_process_vm_readv}, {"ptrace", call_ptrace}, {"quotactl", call_quotactl},
    {"reboot", call_reboot}, {"request_key", call_request_key}, {"sethostname", call_sethostname},
    {"setns", call_setns}, {"settimeofday", call_settimeofday}, {"socket_alg", call_socket_alg},
    {"socket_audit", call_socket_audit}, {"socket_netlink", call_socket_netlink},
    {"socket_packet", call_socket_packet}, {"socket_raw", call_socket_raw}, {"socket_vsock", call_socket_vsock},
    {"swapon", call_swapon}, {"syslog", call_syslog}, {"umount2", call_umount2}, {"unknown_999", call_unknown_999},
    {"unshare_ns", call_unshare_ns}, {"unshare_user", call_unshare_user}, {"userfaultfd", call_userfaultfd},
#ifdef __x86_64__
    {"x32_getpid", call_x32_getpid}, {"i386_getpid", call_i386_getpid}, {"i386_mount", call_i386_mount},
    {"i386_unshare_user", call_i386_unshare_user}, {"i386_keyctl", call_i386_keyctl},
    {"i386_socket_alg", call_i386_socket_alg},
#endif
};

/// Some of the calls change the mount namespace they are made in: only as an image's own /probe.
static int inside_an_image(void) {
    char path[16] = "";
    return readlink("/proc/self/exe", path, sizeof path - 1) == 6 && !strcmp(path, "/probe");
}

void print_calls(void) {
    if (!inside_an_image()) {
        printf("calls=not made: not an image's /probe\n");
        return;
    }
    for (size_t i = 0; i < sizeof calls / sizeof *calls; i++) {
        fflush(stdout);
        pid_t child = fork();
        if (child == 0) {
            errno = 0;
            _exit(calls[i].call() >= 0 ? 0 : errno);
        }
        int status = 0;
        while (waitpid(child, &status, 0) < 0 && errno == EINTR) {}
        if (WIFSIGNALED(status)) {
            printf("call.%s=SIG%s\n", calls[i].name, sigabbrev_np(WTERMSIG(status)));
        } else {
            printf("call.%s=%s\n", calls[i].name, error_name(WEXITSTATUS(status)));
        }
    }
}
