// Health checks: a command of ours runs one and prints how many milliseconds later the next is due.
#include "monitor.h"

#include <errno.h>
#include <fcntl.h>
#include <spawn.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <signal.h>
#include <unistd.h>

/// When a check can't be started at all: tried again after this time, in milliseconds.
enum { RETRY = 30000 };

static int start(const struct health *health, int reply, pid_t *pid) {
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attributes;
    sigset_t none;
    sigemptyset(&none);
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, reply, 1);
    posix_spawn_file_actions_addclosefrom_np(&actions, 3);
    posix_spawnattr_init(&attributes);
    posix_spawnattr_setsigmask(&attributes, &none);
    posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK);
    char *environment[] = {"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", NULL};
    int error = posix_spawn(pid, "/proc/self/exe", &actions, &attributes, health->arguments, environment);
    posix_spawnattr_destroy(&attributes);
    posix_spawn_file_actions_destroy(&actions);
    return error;
}

void cmon_start_check(struct monitor *monitor) {
    struct health *health = &monitor->health;
    int ends[2];
    if (pipe2(ends, O_CLOEXEC) == 0) {
        int error = start(health, ends[1], &health->pid);
        close(ends[1]);
        if (error == 0) {
            health->reply = ends[0];
            return;
        }
        close(ends[0]);
        health->pid = 0;
    }
    health->due = cmon_now() + RETRY;
}

void cmon_finish_check(struct monitor *monitor) {
    struct health *health = &monitor->health;
    char text[24];
    ssize_t count = read(health->reply, text, sizeof text - 1);
    if (count < 0 && errno == EINTR) return;
    text[count > 0 ? count : 0] = 0;
    long delay = strtol(text, NULL, 10);
    close(health->reply);
    health->reply = -1;
    waitpid(health->pid, NULL, 0);
    health->pid = 0;
    // 0: no more checks, as for a container whose check was taken away.
    health->due = count > 0 && delay == 0 ? -1 : cmon_now() + (delay > 0 ? delay : RETRY);
}
