// The container's first program: what a sealed memfd holds (stub_image.c). It has no data, no relocation and no
// library: every function is in one section and calls only its own kind, so the section's bytes run at any address.
// Hence also: no string literal, no switch, no initialised array; optnone keeps the compiler from making tables.
#define _GNU_SOURCE
#include "CInit.h"
#include "stub.h"
#include "syscalls.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <sys/wait.h>

#if defined(__x86_64__)
__asm__(".pushsection cinit_stub,\"ax\",@progbits\n"
        ".globl cinit_stub_entry\n.hidden cinit_stub_entry\n.type cinit_stub_entry,@function\n"
        "cinit_stub_entry:\n  xor %ebp, %ebp\n  mov %rsp, %rdi\n  and $-16, %rsp\n  call cinit_stub_main\n  ud2\n"
        ".popsection\n");
#elif defined(__aarch64__)
__asm__(".pushsection cinit_stub,\"ax\",@progbits\n.balign 4\n"
        ".globl cinit_stub_entry\n.hidden cinit_stub_entry\n.type cinit_stub_entry,%function\n"
        "cinit_stub_entry:\n  mov x29, #0\n  mov x30, #0\n  mov x0, sp\n  bl cinit_stub_main\n  brk #1\n"
        ".popsection\n");
#endif

STUB void cinit_stub_leave(int code) {
    sys(exit_group, code);
    // A filter may refuse even that; a fault ends pid 1 as well.
    __builtin_trap();
}

/// Tells the parent where and why exec failed, and on which path.
STUB void cinit_stub_fail(int report_fd, uint32_t call, long error, const char *path) {
    struct cinit_report report;
    struct iovec vector[2];
    report.kind = CINIT_EXEC_FAILURE;
    report.call = call;
    report.op = 0;
    report.error = (int)-error;
    vector[0].iov_base = &report;
    vector[0].iov_len = sizeof report;
    vector[1].iov_base = (void *)path;
    vector[1].iov_len = 0;
    while (path[vector[1].iov_len] && vector[1].iov_len < CINIT_MAX_TEXT) vector[1].iov_len++;
    sys(writev, report_fd, vector, 2);
    cinit_stub_leave(call == CINIT_AT_EXEC ? EXIT_NOT_EXECUTABLE : EXIT_NOT_FOUND);
}

/// execve of one path, with a directory told apart from a file without permission.
STUB long cinit_stub_try(const char *path, char **argv, char **envp) {
    struct stat status;
    long error = sys(execve, path, argv, envp);
    if (error == -EACCES && sys(newfstatat, AT_FDCWD, path, &status, 0) == 0 && S_ISDIR(status.st_mode)) return -EISDIR;
    return error;
}

STUB int cinit_stub_exists(const char *path) {
    struct stat status;
    return sys(newfstatat, AT_FDCWD, path, &status, 0) == 0;
}

/// The next directory of `search` joined with `name`, in `path`, which stays empty where there is none: an empty part is
/// skipped rather than taken for the working directory. Returns the rest of `search`.
STUB const char *cinit_stub_candidate(const char *search, const char *name, char *path) {
    long size = 0;
    while (*search && *search != ':') {
        if (size < PATH_BYTES - 2) path[size++] = *search;
        search++;
    }
    if (*search) search++;
    if (size > 0) path[size++] = '/';
    while (size > 0 && *name && size < PATH_BYTES - 1) path[size++] = *name++;
    path[*name ? 0 : size] = 0;
    return search;
}

/// Each directory of `search` in turn. What is there but may not be executed does not count as found, as with docker.
STUB void cinit_stub_search(int report_fd, const char *search, char **argv, char **envp) {
    char path[PATH_BYTES];
    while (*search) {
        search = cinit_stub_candidate(search, argv[0], path);
        if (!*path) continue;
        long error = cinit_stub_try(path, argv, envp);
        if (error == -ENOENT && !cinit_stub_exists(path)) continue;
        if (error != -ENOTDIR && error != -EACCES && error != -EISDIR && error != -ELOOP && error != -ENAMETOOLONG)
            cinit_stub_fail(report_fd, CINIT_AT_EXEC, error, path);
    }
    cinit_stub_fail(report_fd, CINIT_AT_LOOKUP, -ENOENT, argv[0]);
}

/// Whether it is looked for in the search path.
STUB int cinit_stub_is_name(const char *command) {
    while (*command && *command != '/') command++;
    return !*command;
}

/// One file, whatever name the command calls itself by.
STUB void cinit_stub_run(int report_fd, const char *path, char **argv, char **envp) {
    long error = cinit_stub_try(path, argv, envp);
    int missing = error == -ENOTDIR || (error == -ENOENT && !cinit_stub_exists(path));
    cinit_stub_fail(report_fd, missing ? CINIT_AT_STAT : CINIT_AT_EXEC, error, path);
}

STUB void cinit_stub_exec(int report_fd, const char *search, char **argv, char **envp) {
    if (cinit_stub_is_name(argv[0])) cinit_stub_search(report_fd, search, argv, envp);
    cinit_stub_run(report_fd, argv[0], argv, envp);
}

/// Waits for whatever died; leaves as the main process did.
STUB void cinit_stub_reap(long child) {
    while (1) {
        int status;
        long pid = sys(wait4, -1, &status, WNOHANG, 0);
        if (pid <= 0) return;
        if (pid != child) continue;
        cinit_stub_leave(WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status));
    }
}

/// `--init`: stays pid 1, passes signals on, reaps orphans. Blocked signals reach pid 1 although it has no handler.
STUB void cinit_stub_supervise(int report_fd, const char *name, const char *search, char **argv, char **envp) {
    uint64_t all = ~0UL, none = 0;
    siginfo_t info;
    sys(prctl, PR_SET_NAME, name, 0, 0, 0);
    sys(rt_sigprocmask, SIG_SETMASK, &all, 0, 8);
    long child = sys(clone, SIGCHLD, 0, 0, 0, 0);
    if (child < 0) cinit_stub_fail(report_fd, CINIT_AT_EXEC, child, argv[0]);
    if (child == 0) {
        // A group of its own in the foreground: Ctrl-C reaches it once, not a second time through us.
        sys(setpgid, 0, 0);
        int group = (int)sys(getpid);
        sys(ioctl, 0, TIOCSPGRP, &group);
        sys(prctl, PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
        sys(rt_sigprocmask, SIG_SETMASK, &none, 0, 8);
        cinit_stub_exec(report_fd, search, argv, envp);
    }
    sys(close, report_fd);
    while (1) {
        long signal = sys(rt_sigtimedwait, &all, &info, 0, 8);
        if (signal == SIGCHLD) cinit_stub_reap(child);
        else if (signal > 0) sys(kill, child, signal);
    }
}

/// Gives the parent its hold on the process that goes on in our place.
STUB long cinit_stub_hand_over(int report_fd, int pidfd) {
    struct cinit_report report;
    struct iovec vector;
    struct msghdr message;
    union {
        struct cmsghdr header;
        char bytes[CMSG_SPACE(sizeof(int))];
    } control;
    report.kind = CINIT_SUCCESSOR;
    report.call = 0;
    report.op = 0;
    report.error = 0;
    vector.iov_base = &report;
    vector.iov_len = sizeof report;
    control.header.cmsg_len = CMSG_LEN(sizeof(int));
    control.header.cmsg_level = SOL_SOCKET;
    control.header.cmsg_type = SCM_RIGHTS;
    *(int *)CMSG_DATA(&control.header) = pidfd;
    message.msg_name = (void *)0;
    message.msg_namelen = 0;
    message.msg_iov = &vector;
    message.msg_iovlen = 1;
    message.msg_control = &control;
    message.msg_controllen = sizeof control.bytes;
    message.msg_flags = 0;
    return sys(sendmsg, report_fd, &message, MSG_NOSIGNAL);
}

/// Waits for the parent's word; asks for the signal at its death first, where the process is to die with it. A parent
/// that died before that has closed its end, be it behind the word: what would block is alive, and will be signalled.
STUB void cinit_stub_await(int report_fd, int dies) {
    char byte;
    if (dies) sys(prctl, PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
    if (sys(read, report_fd, &byte, 1) != 1) cinit_stub_leave(EXIT_NOT_EXECUTABLE);
    if (!dies) return;
    if (sys(fcntl, report_fd, F_SETFL, O_NONBLOCK) < 0) cinit_stub_leave(EXIT_NOT_EXECUTABLE);
    if (sys(read, report_fd, &byte, 1) != -EAGAIN) cinit_stub_leave(EXIT_NOT_EXECUTABLE);
}

/// Joins the pid namespace that was set for children, and with it the sight of the container's processes, last of all:
/// one that may trace others (CAP_SYS_PTRACE, against which being undumpable does not help) finds nothing but a process
/// that has the container's rights, its root and its descriptors already, and in its memory this program. The new
/// process is a child of our parent's, and waits until that knows it.
STUB void cinit_stub_enter(int report_fd, const char *name, const char *mode, const char *search, char **argv, char **envp) {
    int pidfd = -1, supervises = 0, dies = 0, is_file = 0;
    long error = sys(clone, CLONE_PARENT | CLONE_PIDFD, 0, &pidfd, 0, 0);
    if (error < 0) cinit_stub_fail(report_fd, CINIT_AT_CLONE, error, argv[0]);
    if (error > 0) {
        error = cinit_stub_hand_over(report_fd, pidfd);
        cinit_stub_leave(error < 0 ? EXIT_NOT_EXECUTABLE : 0);
    }
    sys(setsid);
    for (const char *flag = mode; *flag; flag++) {
        if (*flag == 'd') dies = 1;
        if (*flag == 'i') supervises = 1;
        if (*flag == 'x') is_file = 1;
        if (*flag != 't') continue;
        error = sys(ioctl, 0, TIOCSCTTY, 0);
        if (error < 0) cinit_stub_fail(report_fd, CINIT_AT_CONTROL, error, argv[0]);
    }
    cinit_stub_await(report_fd, dies);
    if (is_file) cinit_stub_run(report_fd, search, argv, envp);
    if (!supervises) cinit_stub_exec(report_fd, search, argv, envp);
    // Orphans are ours then, as they would be process 1's.
    sys(prctl, PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0);
    cinit_stub_supervise(report_fd, name, search, argv, envp);
}

/// The socket to the parent: behind the descriptors that are the command's, whose number ends the mode.
STUB int cinit_stub_report_fd(const char *mode) {
    int kept = 0;
    while (*mode && (*mode < '0' || *mode > '9')) mode++;
    while (*mode >= '0' && *mode <= '9') kept = kept * 10 + (*mode++ - '0');
    return CINIT_REPORT_FD + kept;
}

/// argv: name, mode, search path, then the user's own. The mode's first letter is `i` to supervise the command, `e` to
/// enter a pid namespace with it (then `t`: with a controlling terminal, `d`: to die with the parent, `i`: to supervise
/// it, `x`: the search path is the file to execute), `h` to hold it until it is started (then `n`: there is none), `w` where the command is a program that runs this one again, then with `g`;
/// else it is executed. Digits behind that say how many descriptors from 3 on are the command's.
STUB void cinit_stub_main(long *stack) {
    long argc = stack[0];
    char **argv = (char **)(stack + 1), **envp = argv + argc + 1;
    if (argc < 3 || (argc < 4 && argv[1][0] != 'h')) cinit_stub_leave(EXIT_NOT_FOUND);
    if (argv[1][0] == 'w') cinit_stub_exec(CINIT_REPORT_FD, argv[2], argv + 3, envp);
    int report_fd = cinit_stub_report_fd(argv[1]);
    sys(fcntl, report_fd, F_SETFD, FD_CLOEXEC);
    if (argv[1][0] == 'g' && argc > 6) cinit_stub_guard(argv[0], argv + 2, envp);
    if (argv[1][0] == 'i') cinit_stub_supervise(report_fd, argv[0], argv[2], argv + 3, envp);
    else if (argv[1][0] == 'e') cinit_stub_enter(report_fd, argv[0], argv[1] + 1, argv[2], argv + 3, envp);
    else if (argv[1][0] == 'h') cinit_stub_hold(report_fd, argv[1][1] != 'n', argv[2], argv + 3, envp);
    else cinit_stub_exec(report_fd, argv[2], argv + 3, envp);
}
