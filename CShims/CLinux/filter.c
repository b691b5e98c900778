// The system calls of a process that fetches and unpacks (seccomp(2)).
#include "CLinux.h"

#include <errno.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <netinet/in.h>
#include <stddef.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>

#if defined(__x86_64__)
enum { MACHINE = AUDIT_ARCH_X86_64 };
#elif defined(__aarch64__)
enum { MACHINE = AUDIT_ARCH_AARCH64 };
#endif

// What such a process never does, and one that was taken over would. A list of what is refused: which calls the C
// library, libcurl and the resolver's modules make changes with their versions.
static const int refused[] = {
    // Other programs and processes.
    SYS_execve, SYS_execveat, SYS_ptrace, SYS_process_vm_readv, SYS_process_vm_writev, SYS_process_madvise,
    SYS_process_mrelease, SYS_pidfd_open, SYS_pidfd_getfd, SYS_pidfd_send_signal, SYS_kcmp, SYS_tkill,
    SYS_rt_sigqueueinfo, SYS_rt_tgsigqueueinfo, SYS_move_pages, SYS_migrate_pages, SYS_setpriority, SYS_ioprio_set,
    // Mounts and namespaces.
    SYS_mount, SYS_umount2, SYS_pivot_root, SYS_chroot, SYS_move_mount, SYS_open_tree, SYS_fsopen, SYS_fsconfig,
    SYS_fsmount, SYS_fspick, SYS_mount_setattr, SYS_unshare, SYS_setns, SYS_quotactl, SYS_quotactl_fd, SYS_swapon,
    SYS_swapoff,
    // Files by another way than their path.
    SYS_open_by_handle_at, SYS_name_to_handle_at, SYS_fanotify_init, SYS_fanotify_mark, SYS_lookup_dcookie,
    // The kernel and the machine.
    SYS_bpf, SYS_perf_event_open, SYS_init_module, SYS_finit_module, SYS_delete_module, SYS_kexec_load,
    SYS_kexec_file_load, SYS_reboot, SYS_syslog, SYS_acct, SYS_settimeofday, SYS_clock_settime, SYS_clock_adjtime,
    SYS_adjtimex, SYS_sethostname, SYS_setdomainname, SYS_vhangup, SYS_personality, SYS_userfaultfd,
    SYS_io_uring_setup, SYS_io_uring_enter, SYS_io_uring_register, SYS_keyctl, SYS_add_key, SYS_request_key,
    // Others' memory, semaphores and queues.
    SYS_shmget, SYS_shmat, SYS_shmctl, SYS_shmdt, SYS_msgget, SYS_msgsnd, SYS_msgrcv, SYS_msgctl, SYS_semget,
    SYS_semop, SYS_semctl, SYS_semtimedop, SYS_mq_open, SYS_mq_unlink,
    // Servers.
    SYS_bind, SYS_listen, SYS_accept, SYS_accept4,
#if defined(__x86_64__)
    SYS_fork, SYS_vfork, SYS_iopl, SYS_ioperm, SYS_modify_ldt, SYS_uselib, SYS_sysfs, SYS_ustat,
#endif
};

enum { REFUSED = sizeof refused / sizeof refused[0], ROOM = 2 * REFUSED + 128 };

// The last of the calls that this list has been held against. Nothing may depend on a later one yet.
enum { NEWEST = 462 };

static const unsigned namespaces =
    CLONE_NEWNS | CLONE_NEWCGROUP | CLONE_NEWUTS | CLONE_NEWIPC | CLONE_NEWUSER | CLONE_NEWPID | CLONE_NEWNET;

struct program {
    struct sock_filter code[ROOM];
    unsigned count;
};

static void emit(struct program *program, unsigned code, unsigned value, unsigned yes, unsigned no) {
    if (program->count == ROOM) return;
    program->code[program->count++] =
        (struct sock_filter){.code = (uint16_t)code, .jt = (uint8_t)yes, .jf = (uint8_t)no, .k = value};
}

static void load(struct program *program, size_t offset) {
    emit(program, BPF_LD | BPF_W | BPF_ABS, (unsigned)offset, 0, 0);
}

static void load_argument(struct program *program, unsigned number) {
    // All that is judged are ints: the low halves, which come first on both machines.
    load(program, offsetof(struct seccomp_data, args) + 8 * number);
}

static void answer(struct program *program, unsigned result) { emit(program, BPF_RET | BPF_K, result, 0, 0); }

static void fail(struct program *program, int error) { answer(program, SECCOMP_RET_ERRNO | (unsigned)error); }

/// Answers `error` unless the accumulator is one of `values`.
static void require(struct program *program, const unsigned *values, unsigned count, int error) {
    for (unsigned i = 0; i < count; i++) emit(program, BPF_JMP | BPF_JEQ | BPF_K, values[i], count - i, 0);
    fail(program, error);
}

/// What follows is for one call alone, up to `end`, which the returned number is for.
static unsigned begin(struct program *program, int call) {
    emit(program, BPF_JMP | BPF_JEQ | BPF_K, (unsigned)call, 0, 0);
    return program->count - 1;
}

static void end(struct program *program, unsigned start) {
    answer(program, SECCOMP_RET_ALLOW);
    program->code[start].jf = (uint8_t)(program->count - start - 1);
}

static void judge_sockets(struct program *program) {
    unsigned start = begin(program, SYS_socket);
    // No AF_UNIX, where docker.sock and the like are, no AF_NETLINK (the resolver does without), AF_PACKET, AF_ALG.
    load_argument(program, 0);
    require(program, (unsigned[]){AF_INET, AF_INET6}, 2, EAFNOSUPPORT);
    load_argument(program, 1);
    emit(program, BPF_ALU | BPF_AND | BPF_K, 0xf, 0, 0);
    require(program, (unsigned[]){SOCK_STREAM, SOCK_DGRAM}, 2, EPERM);
    // MPTCP, SCTP and DCCP would connect past Landlock's rules for TCP.
    load_argument(program, 2);
    require(program, (unsigned[]){0, IPPROTO_TCP, IPPROTO_UDP}, 3, EPROTONOSUPPORT);
    end(program, start);

    // libcurl wakes its threads by one. A pair of datagram sockets could be connected to a name afterwards.
    start = begin(program, SYS_socketpair);
    load_argument(program, 1);
    emit(program, BPF_ALU | BPF_AND | BPF_K, 0xf, 0, 0);
    require(program, (unsigned[]){SOCK_STREAM}, 1, EPERM);
    end(program, start);
}

static void judge_connections(struct program *program, int supervised) {
    if (supervised) {
        unsigned start = begin(program, SYS_connect);
        answer(program, SECCOMP_RET_USER_NOTIF);
        end(program, start);
    }
    // A first message can connect as well, past Landlock and whoever supervises connect(2) (TCP fast open).
    static const struct {
        int call;
        unsigned flags;
    } senders[] = {{SYS_sendto, 3}, {SYS_sendmsg, 2}, {SYS_sendmmsg, 3}};
    for (unsigned i = 0; i < 3; i++) {
        unsigned start = begin(program, senders[i].call);
        load_argument(program, senders[i].flags);
        emit(program, BPF_JMP | BPF_JSET | BPF_K, MSG_FASTOPEN, 0, 1);
        fail(program, EPERM);
        end(program, start);
    }
}

static void judge_processes(struct program *program) {
    // Threads, but no process: it would not die with this one. clone3's flags are out of a filter's sight; the C
    // library takes clone then.
    unsigned start = begin(program, SYS_clone3);
    fail(program, ENOSYS);
    end(program, start);
    start = begin(program, SYS_clone);
    load_argument(program, 0);
    emit(program, BPF_JMP | BPF_JSET | BPF_K, namespaces, 1, 0);
    emit(program, BPF_JMP | BPF_JSET | BPF_K, CLONE_THREAD, 1, 0);
    fail(program, EPERM);
    end(program, start);

    static const int senders[] = {SYS_kill, SYS_tgkill};
    for (unsigned i = 0; i < 2; i++) {
        start = begin(program, senders[i]);
        load_argument(program, 0);
        require(program, (unsigned[]){(unsigned)getpid()}, 1, EPERM);
        end(program, start);
    }
    start = begin(program, SYS_prlimit64);
    load_argument(program, 0);
    require(program, (unsigned[]){0}, 1, EPERM);
    end(program, start);
    // It dies with its parent, whatever becomes of it.
    start = begin(program, SYS_prctl);
    load_argument(program, 0);
    emit(program, BPF_JMP | BPF_JEQ | BPF_K, PR_SET_PDEATHSIG, 0, 1);
    fail(program, EPERM);
    end(program, start);
}

static void judge_controls(struct program *program) {
    // CAP_SYS_ADMIN, which trusted.* attributes need, makes many of a file system's own controls dangerous: shutting it
    // down, freezing it, opening files by handle (XFS).
    unsigned start = begin(program, SYS_ioctl);
    load_argument(program, 1);
    require(program, (unsigned[]){FIONBIO, FIONREAD, FIOCLEX, FIONCLEX, TCGETS}, 5, EPERM);
    end(program, start);
}

static void compile(struct program *program, int supervised) {
    load(program, offsetof(struct seccomp_data, arch));
    emit(program, BPF_JMP | BPF_JEQ | BPF_K, MACHINE, 1, 0);
    answer(program, SECCOMP_RET_KILL_PROCESS);
    load(program, offsetof(struct seccomp_data, nr));
    // The x32 calls of x86-64, with bit 30 set, are beyond it too.
    emit(program, BPF_JMP | BPF_JGT | BPF_K, NEWEST, 0, 1);
    fail(program, ENOSYS);
    for (unsigned i = 0; i < REFUSED; i++) {
        emit(program, BPF_JMP | BPF_JEQ | BPF_K, (unsigned)refused[i], 0, 1);
        fail(program, EPERM);
    }
    judge_sockets(program);
    judge_connections(program, supervised);
    judge_processes(program);
    judge_controls(program);
    answer(program, SECCOMP_RET_ALLOW);
}

static int install(int supervised) {
    struct program program = {.count = 0};
    compile(&program, supervised);
    struct sock_fprog filter = {.len = (unsigned short)program.count, .filter = program.code};
    return (int)syscall(
        SYS_seccomp, SECCOMP_SET_MODE_FILTER, supervised ? SECCOMP_FILTER_FLAG_NEW_LISTENER : 0, &filter);
}

int clinux_confine_calls(int *listener) {
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) return -1;
    // EINVAL before Linux 5.0; EBUSY where a filter of the caller's is supervised already.
    *listener = install(1);
    return *listener >= 0 ? 0 : install(0);
}

int clinux_supervise_next(int listener, struct clinux_connection *connection) {
    struct seccomp_notif asked;
    memset(&asked, 0, sizeof asked);
    if (ioctl(listener, SECCOMP_IOCTL_NOTIF_RECV, &asked) != 0) return -1;
    *connection = (struct clinux_connection){
        .id = asked.id,
        .address = asked.data.args[1],
        .thread = (int)asked.pid,
        .socket = (int)asked.data.args[0],
        .size = (uint32_t)asked.data.args[2],
    };
    return 0;
}

int clinux_supervise_valid(int listener, uint64_t id) { return ioctl(listener, SECCOMP_IOCTL_NOTIF_ID_VALID, &id); }

int clinux_supervise_answer(int listener, uint64_t id, int error) {
    struct seccomp_notif_resp reply;
    memset(&reply, 0, sizeof reply);
    reply.id = id;
    reply.error = -error;
    return ioctl(listener, SECCOMP_IOCTL_NOTIF_SEND, &reply);
}

int clinux_pidfd_getfd(int process, int descriptor) { return (int)syscall(SYS_pidfd_getfd, process, descriptor, 0); }

ssize_t clinux_read_memory(int thread, uint64_t address, void *bytes, size_t count) {
    struct iovec here = {.iov_base = bytes, .iov_len = count};
    struct iovec there = {.iov_base = (void *)(uintptr_t)address, .iov_len = count};
    return process_vm_readv(thread, &here, 1, &there, 1, 0);
}
