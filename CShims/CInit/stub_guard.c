// The stub's part for a container without namespaces: nobody but this process can end what is below it.
#define _GNU_SOURCE
#include "CInit.h"
#include "stub.h"
#include "syscalls.h"

#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>

// Rounds of a millisecond.
enum { END_ROUNDS = 5000 };

/// Appends `text` at `path`, and returns its end.
STUB char *cinit_stub_append(char *path, const char *text) {
    while (*text) *path++ = *text++;
    *path = 0;
    return path;
}

STUB char *cinit_stub_append_number(char *path, long number) {
    long power = 1;
    while (number / power >= 10) power *= 10;
    for (; power; power /= 10) *path++ = (char)('0' + number / power % 10);
    *path = 0;
    return path;
}

/// Sends SIGKILL to every child; orphans are children, too (PR_SET_CHILD_SUBREAPER). `parts`: of the path of the list.
STUB void cinit_stub_kill_children(char **parts) {
    char path[PATH_BYTES], list[PATH_BYTES];
    long self = sys(getpid), pid = 0;
    char *end = cinit_stub_append_number(cinit_stub_append(path, parts[0]), self);
    cinit_stub_append(cinit_stub_append_number(cinit_stub_append(end, parts[1]), self), parts[2]);
    long fd = sys(openat, AT_FDCWD, path, O_RDONLY);
    if (fd < 0) return;
    long count = sys(read, fd, list, sizeof list);
    sys(close, fd);
    for (long i = 0; i < count; i++) {
        if (list[i] >= '0' && list[i] <= '9') {
            pid = pid * 10 + (list[i] - '0');
            continue;
        }
        if (pid > 1) sys(kill, pid, SIGKILL);
        pid = 0;
    }
}

/// Leaves when nothing is left below. Without namespaces nobody else would end it.
STUB void cinit_stub_end(int code, char **parts) {
    for (int round = 0; round < END_ROUNDS; round++) {
        struct timespec pause;
        long reaped = 1;
        cinit_stub_kill_children(parts);
        while (reaped > 0) reaped = sys(wait4, -1, 0, WNOHANG, 0);
        if (reaped < 0) break;
        pause.tv_sec = 0;
        pause.tv_nsec = 1000000;
        sys(nanosleep, &pause, 0);
    }
    cinit_stub_leave(code);
}

/// Below a program that traces all of us, and that neither passes signals on nor takes along what it traces.
/// `words`: three parts of the path of the children's list, the search path, the command.
STUB void cinit_stub_guard(const char *name, char **words, char **envp) {
    uint64_t all = ~0UL, none = 0;
    siginfo_t info;
    struct cinit_report report;
    long tracer = sys(getppid);
    sys(prctl, PR_SET_NAME, name, 0, 0, 0);
    sys(rt_sigprocmask, SIG_SETMASK, &all, 0, 8);
    sys(prctl, PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0);
    sys(prctl, PR_SET_PDEATHSIG, CINIT_END_SIGNAL, 0, 0, 0);
    if (sys(getppid) != tracer) cinit_stub_leave(EXIT_NOT_EXECUTABLE);
    // It goes on here when the child has executed its program, or said why not.
    long child = sys(clone, CLONE_VFORK | SIGCHLD, 0, 0, 0, 0);
    if (child < 0) cinit_stub_fail(CINIT_REPORT_FD, CINIT_AT_EXEC, child, words[4]);
    if (child == 0) {
        sys(setpgid, 0, 0);
        int group = (int)sys(getpid);
        sys(ioctl, 0, TIOCSPGRP, &group);
        sys(rt_sigprocmask, SIG_SETMASK, &none, 0, 8);
        for (char **entry = envp; *entry; entry++)
            if (**entry == CINIT_HIDDEN_VARIABLE) ++*entry;
        cinit_stub_exec(CINIT_REPORT_FD, words[3], words + 4, envp);
    }
    report.kind = CINIT_EXECUTED;
    report.call = 0;
    report.op = 0;
    report.error = 0;
    sys(write, CINIT_REPORT_FD, &report, sizeof report);
    sys(close, CINIT_REPORT_FD);
    while (1) {
        int status;
        long signal = sys(rt_sigtimedwait, &all, &info, 0, 8);
        if (signal == CINIT_END_SIGNAL) cinit_stub_end(128 + SIGKILL, words);
        if (signal > 0 && signal != SIGCHLD) sys(kill, child, signal);
        if (signal != SIGCHLD) continue;
        for (long pid = 1; pid > 0;) {
            pid = sys(wait4, -1, &status, WNOHANG, 0);
            if (pid == child) cinit_stub_end(WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status), words);
        }
    }
}
