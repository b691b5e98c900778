// Health checks: a command of ours runs one and prints how many milliseconds later the next is due.
#include "monitor.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

/// When a check can't be started at all, or does not say when the next is due: after this time, in milliseconds.
enum { RETRY = 30000 };

bool cmon_is_check_due(const struct monitor *monitor) {
    const struct health *health = &monitor->health;
    return !monitor->has_ended && health->pidfd < 0 && health->due >= 0 && cmon_now() >= health->due;
}

static int start(const struct health *health, int reply, pid_t *pid) {
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attributes;
    sigset_t none, pipe;
    sigemptyset(&none);
    sigemptyset(&pipe);
    sigaddset(&pipe, SIGPIPE);
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, reply, 1);
    posix_spawn_file_actions_addclosefrom_np(&actions, 3);
    posix_spawnattr_init(&attributes);
    posix_spawnattr_setsigmask(&attributes, &none);
    posix_spawnattr_setsigdefault(&attributes, &pipe);
    posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
    char *environment[] = {"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", NULL};
    int error = posix_spawn(pid, "/proc/self/exe", &actions, &attributes, health->arguments, environment);
    posix_spawnattr_destroy(&attributes);
    posix_spawn_file_actions_destroy(&actions);
    return error;
}

void cmon_start_check(struct monitor *monitor) {
    struct health *health = &monitor->health;
    health->due = cmon_now() + RETRY;
    int ends[2];
    if (pipe2(ends, O_CLOEXEC | O_NONBLOCK) != 0) return;
    pid_t pid;
    bool has_started = start(health, ends[1], &pid) == 0;
    close(ends[1]);
    // Not reaped by anyone else, so the number is still its own.
    int pidfd = has_started ? (int)syscall(SYS_pidfd_open, pid, 0) : -1;
    if (pidfd < 0) {
        close(ends[0]);
        if (has_started) {
            kill(pid, SIGKILL);
            waitpid(pid, NULL, 0);
        }
        return;
    }
    health->reply = ends[0];
    health->pidfd = pidfd;
}

void cmon_finish_check(struct monitor *monitor) {
    struct health *health = &monitor->health;
    siginfo_t info;
    waitid((idtype_t)3 /* P_PIDFD */, (id_t)health->pidfd, &info, WEXITED | WNOHANG);
    char text[24];
    ssize_t count = read(health->reply, text, sizeof text - 1);
    text[count > 0 ? count : 0] = 0;
    long delay = strtol(text, NULL, 10);
    close(health->reply);
    close(health->pidfd);
    health->reply = health->pidfd = -1;
    // 0: no more checks.
    health->due = count > 0 && delay == 0 ? -1 : cmon_now() + (delay > 0 ? delay : RETRY);
}
