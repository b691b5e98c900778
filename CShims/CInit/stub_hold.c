// The stub's part for a container that is created and not yet started.
#define _GNU_SOURCE
#include "CInit.h"
#include "stub.h"
#include "syscalls.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/uio.h>

/// What keeps the command from being executed as far as a look tells, or 0: a filter that refuses the look does not count.
STUB long cinit_stub_look(const char *path) {
    struct stat status;
    long error = sys(newfstatat, AT_FDCWD, path, &status, 0);
    if (error == -ENOENT || error == -ENOTDIR) return error;
    if (error) return 0;
    if (S_ISDIR(status.st_mode)) return -EISDIR;
    return status.st_mode & 0111 ? 0 : -EACCES;
}

/// Fails now where the command isn't there: whoever makes the container is to hear of it, not who starts it.
STUB void cinit_stub_find(int report_fd, const char *search, const char *command) {
    char path[PATH_BYTES];
    if (!cinit_stub_is_name(command)) {
        long error = cinit_stub_look(command);
        int missing = error == -ENOENT || error == -ENOTDIR;
        if (error) cinit_stub_fail(report_fd, missing ? CINIT_AT_STAT : CINIT_AT_EXEC, error, command);
        return;
    }
    while (*search) {
        search = cinit_stub_candidate(search, command, path);
        if (*path && cinit_stub_look(path) == 0) return;
    }
    cinit_stub_fail(report_fd, CINIT_AT_LOOKUP, -ENOENT, command);
}

/// Says that all is made, and waits for the byte that comes with `start`, much later and from somebody else. From then on
/// that one hears of failures.
STUB void cinit_stub_hold(int report_fd, int looks, const char *search, char **argv, char **envp) {
    struct cinit_report report;
    struct iovec vector;
    char byte;
    long count;
    sys(fcntl, report_fd + CINIT_GATE_START, F_SETFD, FD_CLOEXEC);
    sys(fcntl, report_fd + CINIT_GATE_REPORT, F_SETFD, FD_CLOEXEC);
    if (looks) cinit_stub_find(report_fd, search, argv[0]);
    report.kind = CINIT_HELD;
    report.call = 0;
    report.op = 0;
    report.error = 0;
    vector.iov_base = &report;
    vector.iov_len = sizeof report;
    if (sys(writev, report_fd, &vector, 1) < 0) cinit_stub_leave(EXIT_NOT_EXECUTABLE);
    do count = sys(read, report_fd + CINIT_GATE_START, &byte, 1);
    while (count == -EINTR);
    if (count != 1 || !argv[0]) cinit_stub_leave(EXIT_NOT_EXECUTABLE);
    cinit_stub_exec(report_fd + CINIT_GATE_REPORT, search, argv, envp);
}
