// The child: walks the operations in order, stops at the first that fails, reports it as numbers.
#define _GNU_SOURCE
#include "interpret.h"

#include "child.h"

#include <linux/keyctl.h>
#include <sched.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <time.h>

enum { MOUNT_PRIVATE_RECURSIVE = 1 << 18 | 1 << 14, KERNEL_SIGNALS = 64, EXIT_SETUP = 125 };

static void __attribute__((noreturn)) leave(int code) {
    sys(exit_group, code);
    // A filter may refuse even that; a fault ends pid 1 as well.
    __builtin_trap();
}

static void __attribute__((noreturn)) fail(struct child *child, uint32_t op, long error) {
    struct cinit_report report = {.kind = CINIT_FAILURE, .call = child->call, .op = op, .error = (int)-error};
    struct iovec vector[2] = {{&report, sizeof report}, {child->text, child->text_size}};
    struct msghdr message = {.msg_iov = vector, .msg_iovlen = 2};
    sys(sendmsg, child->report, &message, MSG_NOSIGNAL);
    leave(EXIT_SETUP);
}

/// One byte releases the child; end-of-file means that nobody is left to run for.
static long await(struct child *child, const struct cinit_op *op) {
    char byte;
    long count;
    struct cinit_report report = {.kind = CINIT_WAITS};
    if (op->a == CINIT_AWAIT_HOOKS) {
        child->call = CINIT_AT_SEND;
        count = sys(sendto, child->report, &report, sizeof report, MSG_NOSIGNAL, 0, 0);
        if (count < 0) return count;
    }
    do count = sys(recvfrom, child->report, &byte, 1, 0, 0, 0);
    while (count == -EINTR);
    if (count == 1) return op->a == CINIT_AWAIT_MAPPED ? sys(prctl, PR_SET_DUMPABLE, 0, 0, 0, 0) : 0;
    leave(EXIT_SETUP);
}

/// "0" is the writer. Into `tasks`, by a process of one thread, the kernel takes no lock that waits for RCU.
static long join_cgroup(const struct child *child) {
    for (int i = 0; i < child->arguments->task_count && i < CINIT_MAX_TASKS; i++) {
        long count = sys(write, child->arguments->tasks[i], "0", 1);
        if (count < 0) return count;
    }
    return 0;
}

static long set_namespace(struct child *child, const struct cinit_op *op) {
    child->call = CINIT_AT_OPEN;
    long fd = sys(openat, AT_FDCWD, string_at(child, op->path), O_RDONLY | O_CLOEXEC, 0);
    if (fd < 0) return fd;
    child->call = CINIT_AT_CALL;
    long error = sys(setns, fd, op->a);
    sys(close, fd);
    return error;
}

/// By the process and not by files of /proc, which could be those of another one that has its number by now (setns(2)).
/// The pid namespace is for children only: the stub makes one.
static long join(struct child *child, const struct cinit_op *op) {
    long target = target_of(child, op);
    if (op->a & CLONE_NEWUSER) drop_groups();
    long error = target < 0 ? target : sys(setns, target, op->a);
    if (error || op->slot < 0) return error;
    child->call = CINIT_AT_OPEN;
    return fill(child, op->slot, sys(openat, AT_FDCWD, "/", O_PATH | O_DIRECTORY | O_CLOEXEC, 0));
}

/// One of our own, since a slot closes what it held.
static long inherited(const struct child *child, const struct cinit_op *op) {
    if (op->a >= (uint64_t)child->arguments->inherited_count) return -EBADF;
    return sys(fcntl, child->arguments->inherited[op->a], F_DUPFD_CLOEXEC, CINIT_REPORT_FD + 1);
}

static long limit(const struct cinit_op *op) {
    struct rlimit64 value = {op->b, op->c};
    return sys(prlimit64, 0, op->a, &value, 0);
}

/// A kernel without keyrings has nothing to separate, and nor has who is under a filter that refuses them (docker's): the
/// container inherits that. The kernel itself answers EACCES where a name is taken.
static long keyring(const struct child *child, const struct cinit_op *op) {
    long error = sys(keyctl, KEYCTL_JOIN_SESSION_KEYRING, string_at(child, op->text));
    return error < 0 && error != -ENOSYS && error != -EPERM ? error : 0;
}

/// Signals start as exec leaves them for a fresh program: default dispositions, none blocked.
static void default_signals(void) {
    struct {
        void *handler;
        unsigned long flags;
        void *restorer;
        uint64_t mask;
    } action = {0};
    for (int signal = 1; signal <= KERNEL_SIGNALS; signal++)
        if (signal != SIGKILL && signal != SIGSTOP) sys(rt_sigaction, signal, &action, 0, 8);
    uint64_t none = 0;
    sys(rt_sigprocmask, SIG_SETMASK, &none, 0, 8);
}

static long execute(struct child *child) {
    const struct cinit_plan *plan = (const struct cinit_plan *)(void *)child->base;
    return sys(execveat, child->stub, "", child->base + plan->argv, child->base + plan->envp,
               AT_EMPTY_PATH);
}

static long process_op(struct child *child, const struct cinit_op *op) {
    child->call = CINIT_AT_CALL;
    switch (op->code) {
    case CINIT_HOST_NAME: return sys(sethostname, string_at(child, op->text), op->a);
    case CINIT_DOMAIN_NAME: return sys(setdomainname, string_at(child, op->text), op->a);
    case CINIT_LOOPBACK: return op_loopback();
    case CINIT_LIMIT: return limit(op);
    case CINIT_KEYRING: return keyring(child, op);
    case CINIT_STDIO: return op_stdio(child, op);
    case CINIT_TERMINAL: return op_terminal(child, op);
    case CINIT_BOUNDING: return op_bounding(op);
    case CINIT_GROUPS: return sys(setgroups, op->a, string_at(child, op->text));
    case CINIT_IDS: return op_ids(child, op);
    case CINIT_CAPABILITIES: return op_capabilities(op);
    case CINIT_AMBIENT: return op_ambient(op);
    case CINIT_NO_NEW_PRIVILEGES: return sys(prctl, PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
    case CINIT_SECCOMP: return op_seccomp(child, op);
    case CINIT_PARENT_DEATH: return op_parent_death(child, op);
    case CINIT_UMASK: return sys(umask, op->a) < 0 ? -EINVAL : 0;
    case CINIT_SEAL_DESCRIPTORS: return op_seal_descriptors(child, op);
    case CINIT_EXEC: return execute(child);
    case CINIT_BECOME_ROOT: return op_become_root(child);
    case CINIT_LABEL: return op_label(child, op);
    default: return scheduling_op(child, op);
    }
}

static long run_op(struct child *child, const struct cinit_op *op) {
    child->call = CINIT_AT_CALL;
    switch (op->code) {
    case CINIT_AWAIT: return await(child, op);
    case CINIT_JOIN_CGROUP: return join_cgroup(child);
    case CINIT_UNSHARE: return sys(unshare, op->a);
    case CINIT_SETNS: return set_namespace(child, op);
    case CINIT_JOIN: return join(child, op);
    case CINIT_PRIVATE: return sys(mount, 0, "/", 0, op->a ? op->a : MOUNT_PRIVATE_RECURSIVE, 0);
    case CINIT_CHDIR: return sys(chdir, string_at(child, op->path));
    case CINIT_OPEN: return op_open(child, op);
    case CINIT_NULL_DEVICE: return op_null_device(child, op);
    case CINIT_CLONE_TREE: return op_clone_tree(child, op);
    case CINIT_BORROW: return op_borrow(child, op);
    case CINIT_FILESYSTEM: return op_filesystem(child, op);
    case CINIT_MOUNT: return op_mount(child, op);
    case CINIT_ATTRIBUTES: return op_attributes(child, op);
    case CINIT_ATTACH: return op_attach(child, op);
    case CINIT_MAKE_PATH: return op_make_path(child, op);
    case CINIT_NODE: return op_node(child, op);
    case CINIT_LINK: return op_link(child, op);
    case CINIT_WRITE: return op_write(child, op);
    case CINIT_MASK: return op_mask(child, op);
    case CINIT_READ_ONLY: return op_read_only(child, op);
    case CINIT_PTY: return op_pty(child, op);
    case CINIT_PIVOT: return op_pivot(child, op);
    case CINIT_MOVE_ROOT: return op_move_root(child, op);
    case CINIT_CHROOT: return op_chroot(child, op);
    case CINIT_COPY_UP: return op_copy_up(child, op);
    case CINIT_RECONFIGURE: return op_reconfigure(child, op);
    case CINIT_INHERIT: return fill(child, op->slot, inherited(child, op));
    case CINIT_WORK_DIR: return op_work_dir(child, op);
    default: return process_op(child, op);
    }
}

static int64_t now(void) {
    struct timespec time = {0};
    sys(clock_gettime, CLOCK_MONOTONIC, &time);
    return time.tv_sec * (int64_t)1000000000 + time.tv_nsec;
}

/// Before each operation, for who asked.
static void note_time(struct cinit_clock *clock, unsigned code, unsigned before) {
    int is_rooted = before == CINIT_PIVOT || before == CINIT_CHROOT || before == CINIT_MOVE_ROOT;
    if (!before) clock->begun = now();
    if (is_rooted) clock->rooted = now();
    if (code == CINIT_EXEC) clock->executed = now();
}

/// 0, 1, 2 must be taken, or a descriptor of ours would land there and be lost to the standard ones.
static void occupy_standard(void) {
    for (int fd = 0; fd <= 2; fd++)
        if (sys(fcntl, fd, F_GETFD, 0) == -EBADF) sys(openat, AT_FDCWD, "/dev/null", O_RDWR, 0);
}

void cinit_interpret(void *plan, const struct cinit_start_arguments *arguments) {
    struct child child;
    const struct cinit_plan *header = plan;
    child.base = plan;
    child.arguments = arguments;
    child.report = arguments->child_socket;
    child.stub = arguments->stub;
    child.call = CINIT_AT_CALL;
    child.text_size = 0;
    for (int i = 0; i < CINIT_MAX_SLOTS; i++) child.slots[i] = -1;
    sys(close, arguments->parent_socket);
    // While it is set up the child dies with its parent in any case; a later operation decides about the container.
    sys(prctl, PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
    occupy_standard();
    default_signals();
    sys(setsid);
    sys(umask, 0);
    const struct cinit_op *ops = (const struct cinit_op *)(const void *)(child.base + header->ops);
    // Until exec nobody looks into a process that is not yet the container's; see CINIT_AWAIT.
    int is_mapped = header->op_count && ops[0].code == CINIT_AWAIT && ops[0].a == CINIT_AWAIT_MAPPED;
    if (!is_mapped) sys(prctl, PR_SET_DUMPABLE, 0, 0, 0, 0);
    for (uint32_t i = 0; i < header->op_count; i++) {
        if (arguments->clock) note_time(arguments->clock, ops[i].code, i ? ops[i - 1].code : 0);
        long error = run_op(&child, &ops[i]);
        if (error < 0) fail(&child, i, error);
    }
    leave(EXIT_SETUP);
}
