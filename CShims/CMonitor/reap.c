// The end of a container's first process, and with it of all others.
#include "monitor.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

enum { MAX_ROUNDS = 100, MAX_LIST = 64 << 10, ROUND = 2000 /* microseconds */ };

/// One look at the list: kills all that it names. False when it names none.
static bool kill_listed(int tasks) {
    static char list[MAX_LIST];
    ssize_t size = pread(tasks, list, sizeof list - 1, 0);
    if (size <= 0) return false;
    list[size] = 0;
    for (char *at = list, *next; *at; at = next) {
        long pid = strtol(at, &next, 10);
        if (next == at) break;
        // A number that the size of the list has cut in two is read whole in the next round.
        bool is_whole = *next == '\n' || *next == ' ';
        while (*next == '\n' || *next == ' ') next++;
        if (is_whole && pid > 1) kill((pid_t)pid, SIGKILL);
    }
    return true;
}

/// The kernel ends the processes of a pid namespace with its first; those that share another's live on, and might write
/// for ever to an output that we wait for. What is left after all rounds (one may fork faster than it is killed) goes
/// with the cgroup, which whoever records the end freezes and removes.
static void kill_left(int tasks) {
    for (int round = 0; round < MAX_ROUNDS && kill_listed(tasks); round++) usleep(ROUND);
}

void cmon_end_children(void) {
    int children = open("/proc/thread-self/children", O_RDONLY | O_CLOEXEC);
    if (children < 0) return;
    // What one that is killed leaves behind comes into the list.
    while (kill_listed(children))
        while (waitid(P_ALL, 0, NULL, WEXITED) == 0) continue;
    close(children);
}

bool cmon_reap(struct monitor *monitor, int options) {
    siginfo_t info = {0};
    int result;
    do result = waitid((idtype_t)3 /* P_PIDFD */, CMON_PIDFD, &info, WEXITED | options);
    while (result != 0 && errno == EINTR);
    if (result == 0 && info.si_pid == 0) return false;
    monitor->has_ended = true;
    monitor->status = info.si_code == CLD_EXITED ? info.si_status << 8 : info.si_status;
    if (monitor->tasks >= 0) kill_left(monitor->tasks);
    monitor->last_output = cmon_now();
    return true;
}
