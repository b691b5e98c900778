// The parent's side: checks the plan, makes its pointers, clones.
#define _GNU_SOURCE
#include "CInit.h"
#include "clone.h"
#include "interpret.h"
#include "syscalls.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/sched.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static int in_range(const struct cinit_plan *plan, uint64_t offset, uint64_t bytes) {
    return offset <= plan->size && bytes <= plan->size - offset;
}

static int check_strings(const struct cinit_plan *plan, uint32_t table, uint32_t count) {
    if (table % 8 || !in_range(plan, table, ((uint64_t)count + 1) * 8)) return 0;
    const uint64_t *offsets = (const void *)((const char *)plan + table);
    for (uint32_t i = 0; i < count; i++)
        if (offsets[i] == 0 || offsets[i] >= plan->size) return 0;
    return offsets[count] == 0;
}

static int needs_slot(unsigned code) {
    return (code >= CINIT_OPEN && code <= CINIT_FILESYSTEM) || code == CINIT_ATTRIBUTES || code == CINIT_ATTACH ||
           code == CINIT_MASK || code == CINIT_PTY || code == CINIT_STDIO || code == CINIT_TERMINAL ||
           code == CINIT_INHERIT || code == CINIT_COPY_UP || code == CINIT_LABEL;
}

static int needs_dir(unsigned code) {
    return (code >= CINIT_MAKE_PATH && code <= CINIT_WORK_DIR) || code == CINIT_CHROOT || code == CINIT_MOVE_ROOT ||
           code == CINIT_COPY_UP || code == CINIT_RECONFIGURE;
}

static int check_op(const struct cinit_plan *plan, const struct cinit_op *op) {
    if (op->code < CINIT_AWAIT || op->code > CINIT_EXEC) return 0;
    if (op->slot < -1 || op->slot >= CINIT_MAX_SLOTS || op->dir < -1 || op->dir >= CINIT_MAX_SLOTS) return 0;
    if (op->text >= plan->size) return 0;
    if (op->path >= plan->size) return 0;
    if ((needs_slot(op->code) && op->slot < 0) || (needs_dir(op->code) && op->dir < 0)) return 0;
    if (op->code == CINIT_SECCOMP) return op->a <= 4096 && op->text % 8 == 0 && in_range(plan, op->text, op->a * 8);
    if (op->code == CINIT_GROUPS) return op->a <= 65536 && op->text % 4 == 0 && in_range(plan, op->text, op->a * 4);
    if (op->code == CINIT_SEAL_DESCRIPTORS) return op->a <= CINIT_MAX_KEPT && op->b <= INT_MAX && op->c <= INT_MAX;
    if (op->code == CINIT_MASK) return op->a < CINIT_MAX_SLOTS;
    if (op->code == CINIT_JOIN || op->code == CINIT_BORROW) return op->b < CINIT_MAX_TARGETS;
    if (op->code == CINIT_INHERIT) return op->a < CINIT_MAX_INHERITED;
    if (op->code == CINIT_AFFINITY) return op->text % 8 == 0 && in_range(plan, op->text, op->a);
    if (op->code == CINIT_SCHEDULER) return op->text % 8 == 0 && in_range(plan, op->text, 48);
    if (op->code == CINIT_HOST_NAME || op->code == CINIT_DOMAIN_NAME) return in_range(plan, op->text, op->a);
    return 1;
}

int cinit_check(const void *bytes, size_t size) {
    const struct cinit_plan *plan = bytes;
    if (size < sizeof *plan + 1 || size > UINT32_MAX || (uintptr_t)bytes % 8) return EINVAL;
    if (plan->magic != CINIT_MAGIC || plan->size != size || ((const char *)bytes)[size - 1] != 0) return EINVAL;
    if (plan->ops % 8 || !in_range(plan, plan->ops, (uint64_t)plan->op_count * sizeof(struct cinit_op))) return EINVAL;
    if (!check_strings(plan, plan->argv, plan->argc) || !check_strings(plan, plan->envp, plan->envc)) return EINVAL;
    const struct cinit_op *ops = (const void *)((const char *)bytes + plan->ops);
    for (uint32_t i = 0; i < plan->op_count; i++)
        if (!check_op(plan, &ops[i])) return EINVAL;
    return 0;
}

static void make_pointers(char *base, uint32_t table, uint32_t count) {
    uint64_t *entries = (void *)(base + table);
    for (uint32_t i = 0; i < count; i++) entries[i] += (uintptr_t)base;
}

/// docker's seccomp filter answers ENOSYS to clone3 where CAP_SYS_ADMIN is missing, since it can't look at the flags; clone(2)
/// knows all but the cgroup and namespaces of later flags. Its first three arguments are the same everywhere.
long start_process(struct clone_args *call) {
    long pid = sys(clone3, call, sizeof *call);
    if (pid != -ENOSYS || call->flags >> 32) return pid;
    return sys(clone, call->flags | call->exit_signal, 0, call->pidfd, 0, 0);
}

/// In the caller's own address space copy; joins a pid namespace for its children first, since that is the one
/// kind a process cannot enter itself (setns(2)).
long clone_child(void *plan, const struct cinit_start_arguments *arguments, struct clone_args *call) {
    int own = -1;
    if (arguments->between) return clone_beyond(plan, arguments, call);
    if (arguments->pid_namespace >= 0) {
        own = open("/proc/self/ns/pid", O_RDONLY | O_CLOEXEC);
        if (own < 0) return -errno;
        if (setns(arguments->pid_namespace, CLONE_NEWPID) != 0) {
            int error = errno;
            close(own);
            return -error;
        }
    }
    long pid = start_process(call);
    if (pid == 0) cinit_interpret(plan, arguments);
    if (own >= 0) {
        setns(own, CLONE_NEWPID);
        close(own);
    }
    return pid;
}

int prepare_clone(void *plan, const struct cinit_start_arguments *arguments, struct clone_args *call, int *pidfd) {
    struct cinit_plan *header = plan;
    if (cinit_check(plan, header->size) != 0) return -EINVAL;
    make_pointers(plan, header->argv, header->argc);
    make_pointers(plan, header->envp, header->envc);
    *call = (struct clone_args){
        .flags = header->clone_flags | CLONE_PIDFD, .pidfd = (uintptr_t)pidfd, .exit_signal = SIGCHLD};
    if (arguments->cgroup >= 0) {
        call->flags |= CLONE_INTO_CGROUP;
        call->cgroup = (uint64_t)arguments->cgroup;
    }
    return 0;
}

pid_t cinit_start(void *plan, const struct cinit_start_arguments *arguments, int *pidfd) {
    int fd = -1;
    struct clone_args call;
    if (prepare_clone(plan, arguments, &call, &fd) < 0) return -EINVAL;
    // A handler of ours must not run in the child.
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    long pid = clone_child(plan, arguments, &call);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (pid > 0) *pidfd = fd;
    return (pid_t)pid;
}

int cinit_socket_pair(int *child, int *parent) {
    int low[2], error = 0;
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, low) != 0) return -1;
    // 0 to 3 are laid out anew in the child.
    *child = fcntl(low[0], F_DUPFD_CLOEXEC, 10);
    *parent = *child < 0 ? -1 : fcntl(low[1], F_DUPFD_CLOEXEC, 10);
    if (*parent < 0) {
        error = errno;
        if (*child >= 0) close(*child);
    }
    close(low[0]);
    close(low[1]);
    errno = error;
    return *parent < 0 ? -1 : 0;
}

ssize_t cinit_receive(int socket, void *buffer, size_t size, int *descriptor, int wait) {
    union {
        struct cmsghdr header;
        char bytes[CMSG_SPACE(sizeof(int))];
    } control;
    struct iovec vector = {buffer, size};
    struct msghdr message = {
        .msg_iov = &vector, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof control.bytes};
    *descriptor = -1;
    ssize_t count;
    do count = recvmsg(socket, &message, MSG_CMSG_CLOEXEC | (wait ? 0 : MSG_DONTWAIT));
    // A child that left its release unread resets the connection: reported once, ahead of what it said before.
    while (count < 0 && (errno == EINTR || errno == ECONNRESET));
    struct cmsghdr *header = count >= 0 ? CMSG_FIRSTHDR(&message) : NULL;
    if (!header || header->cmsg_level != SOL_SOCKET || header->cmsg_type != SCM_RIGHTS) return count;
    // The sender may be what a container made of our child: no more than one is kept, whatever fits into the buffer.
    const unsigned char *at = CMSG_DATA(header), *end = (const unsigned char *)header + header->cmsg_len;
    for (; at + sizeof(int) <= end; at += sizeof(int)) {
        int received;
        memcpy(&received, at, sizeof received);
        if (*descriptor < 0) *descriptor = received;
        else close(received);
    }
    return count;
}

ssize_t cinit_release(int socket) { return send(socket, "", 1, MSG_NOSIGNAL); }
