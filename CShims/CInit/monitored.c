// A start whose parent is not the caller but a monitor, which outlives it.
#define _GNU_SOURCE
#include "CInit.h"
#include "clone.h"
#include "syscalls.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/sched.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

enum { FIRST_DESCRIPTOR = 3, OUT_OF_THE_WAY = 100 };

static void leave(int code) {
    sys(exit_group, code);
    __builtin_trap();
}

/// Tells the caller the pid and hands the pidfd over; with an error, that alone.
static long report(int control, int value, int pidfd) {
    union {
        struct cmsghdr header;
        char bytes[CMSG_SPACE(sizeof(int))];
    } rights = {.header = {.cmsg_len = CMSG_LEN(sizeof(int)), .cmsg_level = SOL_SOCKET, .cmsg_type = SCM_RIGHTS}};
    struct iovec vector = {&value, sizeof value};
    struct msghdr message = {.msg_iov = &vector, .msg_iovlen = 1};
    if (pidfd >= 0) {
        memcpy(CMSG_DATA(&rights.header), &pidfd, sizeof pidfd);
        message.msg_control = &rights;
        message.msg_controllen = sizeof rights.bytes;
    }
    return sys(sendmsg, control, &message, MSG_NOSIGNAL);
}

/// 0, 1 and 2 are /dev/null; control, pidfd, lock and, if any, one more follow; nothing else of the caller's stays open.
static long lay_out(int control, int pidfd, int lock, int further) {
    int kept[] = {control, pidfd, lock, further}, count = further < 0 ? 3 : 4;
    int null = (int)sys(openat, AT_FDCWD, "/dev/null", O_RDWR);
    if (null < 0) return null;
    for (int i = 0; i < count; i++) {
        kept[i] = (int)sys(fcntl, kept[i], F_DUPFD, OUT_OF_THE_WAY);
        if (kept[i] < 0) return kept[i];
    }
    for (int fd = 0; fd < FIRST_DESCRIPTOR; fd++) {
        long copied = fd == null ? 0 : sys(dup3, null, fd, 0);
        if (copied < 0) return copied;
    }
    for (int i = 0; i < count; i++) {
        long copied = sys(dup3, kept[i], FIRST_DESCRIPTOR + i, 0);
        if (copied < 0) return copied;
    }
    return sys(close_range, FIRST_DESCRIPTOR + count, ~0U, 0);
}

/// What the process that becomes the monitor is made with.
struct beginning {
    void *plan;
    const struct cinit_start_arguments *arguments;
    const struct cinit_monitor *monitor;
    struct clone_args call;
    int pidfd;
};

/// Only raw system calls, and nothing of the caller's is changed: the memory is the caller's, whose thread stands still until
/// our exec, but not its others.
static int become_monitor(void *argument) {
    struct beginning *beginning = argument;
    const struct cinit_monitor *monitor = beginning->monitor;
    sys(setsid);
    // What another runtime makes is to be the monitor's child.
    if (monitor->takes_orphans) sys(prctl, PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0);
    long pid = clone_child(beginning->plan, beginning->arguments, &beginning->call);
    if (pid < 0) {
        report(monitor->control, (int)pid, -1);
        leave(1);
    }
    long error = report(monitor->control, (int)pid, beginning->pidfd);
    char *environment[] = {NULL};
    if (error >= 0) error = lay_out(monitor->control, beginning->pidfd, monitor->lock, monitor->kept);
    if (error >= 0) error = sys(execve, "/proc/self/exe", monitor->argv, environment);
    // The child dies with us (PR_SET_PDEATHSIG).
    leave(1);
    return 1;
}

/// The memory of a program in Swift is copied for the container's process only: that of the monitor has none of it.
pid_t cinit_start_monitored(
    void *plan, const struct cinit_start_arguments *arguments, const struct cinit_monitor *monitor) {
    struct beginning beginning = {.plan = plan, .arguments = arguments, .monitor = monitor, .pidfd = -1};
    if (prepare_clone(plan, arguments, &beginning.call, &beginning.pidfd) < 0) return -EINVAL;
    // At the end of the caller's own, so there is all of that below it.
    _Alignas(16) char stack[16 << 10];
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    int pid = clone(become_monitor, stack + sizeof stack, CLONE_VM | CLONE_VFORK | SIGCHLD, &beginning);
    int error = errno;
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return pid < 0 ? -error : pid;
}
