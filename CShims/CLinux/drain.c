// A process that reads a terminal's master side for nobody.
#include "CLinux.h"

#include <errno.h>
#include <signal.h>

static void drain(int terminal) {
    char bytes[4096];
    ssize_t count;
    do count = read(terminal, bytes, sizeof bytes);
    while (count > 0 || (count < 0 && errno == EINTR));
}

int clinux_drain_aside(int terminal) {
    sigset_t all, before, none;
    sigfillset(&all);
    sigprocmask(SIG_SETMASK, &all, &before);
    pid_t pid = fork();
    if (pid != 0) {
        int error = errno;
        sigprocmask(SIG_SETMASK, &before, NULL);
        errno = error;
        return pid < 0 ? -1 : 0;
    }
    setsid();
    // What the caller's terminal sends to all of its session: at the latest the caller's own end hangs it up.
    for (const int *number = (const int[]){SIGHUP, SIGINT, SIGQUIT, SIGTSTP, 0}; *number; number++)
        signal(*number, SIG_IGN);
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    int null = open("/dev/null", O_RDWR | O_CLOEXEC);
    for (int fd = 0; null >= 0 && fd < 3; fd++) dup2(null, fd);
    if (dup2(terminal, 3) < 0) _exit(1);
    close_range(4, ~0U, 0);
    drain(3);
    _exit(0);
}
