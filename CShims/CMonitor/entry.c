// A monitor's way in and out. The static executable becomes a monitor when it is started under that name: before Swift's
// runtime has touched a page, which keeps a waiting container at a few hundred kilobytes.
#include "CLinux.h"
#include "monitor.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static struct monitor monitor;
static char go_text[CMON_MAX_GO];
static char *arguments[2 * (CMON_MAX_ARGUMENTS + 1)];

int64_t cmon_now(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (int64_t)time.tv_sec * 1000 + time.tv_nsec / 1000000;
}

static const char *next_string(const char **at, const char *end) {
    const char *string = *at;
    const char *stop = memchr(string, 0, (size_t)(end - string));
    if (!stop) return NULL;
    *at = stop + 1;
    return string;
}

static char **take_arguments(uint32_t count, char **room, const char **at, const char *end) {
    if (count > CMON_MAX_ARGUMENTS) return NULL;
    for (uint32_t i = 0; i < count; i++) {
        room[i] = (char *)next_string(at, end);
        if (!room[i]) return NULL;
    }
    room[count] = NULL;
    return room;
}

static bool read_go(const struct cmon_go *go, const char *at, const char *end, const int *passed) {
    struct cmon_log_options options = {
        .driver = go->log_driver, .directory = passed[CMON_PASSED_LOG], .max_size = go->log_size,
        .max_files = go->log_files};
    options.name = next_string(&at, end);
    options.attrs = options.name ? next_string(&at, end) : NULL;
    if (!options.attrs) return false;
    if (!*options.attrs) options.attrs = NULL;
    monitor.end_arguments = take_arguments(go->end_count, arguments, &at, end);
    if (!monitor.end_arguments || go->end_count == 0) return false;
    monitor.health.arguments = take_arguments(go->health_count, arguments + go->end_count + 1, &at, end);
    if (!monitor.health.arguments) return false;
    monitor.health.due = go->health_count && go->health_delay ? cmon_now() + go->health_delay : -1;
    // What can't be logged is counted by the log itself: a container never fails for its log.
    cmon_log_open(&monitor.log, &options);
    return true;
}

/// Takes the process that followed in the place of the one that we made, which has nothing left to do but to end.
static bool follow(const struct cmon_go *go, int successor) {
    bool follows = (go->flags & CMON_SUCCESSOR) != 0;
    siginfo_t info;
    int result = 0;
    if (follows) {
        do result = waitid((idtype_t)3 /* P_PIDFD */, CMON_PIDFD, &info, WEXITED);
        while (result != 0 && errno == EINTR);
        if (dup3(successor, CMON_PIDFD, O_CLOEXEC) < 0) result = -1;
        // It is here. Orphans of a container that shares the host's processes are the host's init's, as ever.
        prctl(PR_SET_CHILD_SUBREAPER, 0, 0, 0, 0);
    }
    close(successor);
    return result == 0;
}

bool cmon_receive_go(struct monitor *target) {
    union {
        struct cmsghdr header;
        char bytes[CMSG_SPACE(CMON_PASSED_COUNT * sizeof(int))];
    } control;
    struct iovec vector = {go_text, sizeof go_text};
    struct msghdr message = {
        .msg_iov = &vector, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof control.bytes};
    ssize_t count;
    do count = recvmsg(CMON_CONTROL, &message, MSG_CMSG_CLOEXEC);
    while (count < 0 && errno == EINTR);
    struct cmsghdr *header = count > 0 ? CMSG_FIRSTHDR(&message) : NULL;
    int passed[CMON_PASSED_COUNT];
    if (!header || header->cmsg_type != SCM_RIGHTS || header->cmsg_len != CMSG_LEN(sizeof passed)) return false;
    memcpy(passed, CMSG_DATA(header), sizeof passed);
    struct cmon_go go;
    if ((size_t)count < 1 + sizeof go || go_text[0] != CMON_GO || (message.msg_flags & MSG_TRUNC)) return false;
    memcpy(&go, go_text + 1, sizeof go);
    target->flags = go.flags;
    target->output = passed[CMON_PASSED_OUTPUT];
    target->error = passed[CMON_PASSED_ERROR];
    target->listener = passed[CMON_PASSED_LISTENER];
    target->input.fd = passed[CMON_PASSED_INPUT];
    target->tasks = passed[CMON_PASSED_TASKS];
    if (!(go.flags & CMON_SHARES_PIDS)) close(target->tasks), target->tasks = -1;
    if (!follow(&go, passed[CMON_PASSED_PROCESS])) return false;
    if (go.flags & CMON_TERMINAL) close(target->error), target->error = -1;
    if (!(go.flags & CMON_HAS_INPUT)) close(target->input.fd), target->input.fd = -1;
    return read_go(&go, go_text + 1 + sizeof go, go_text + count, passed);
}

/// Without a starter that goes on, the container goes as well: nobody knows of it.
static void give_up(void) {
    syscall(SYS_pidfd_send_signal, CMON_PIDFD, SIGKILL, NULL, 0);
    cmon_reap(&monitor, 0);
    cmon_end_children();
    _exit(0);
}

/// The starter's descriptor stays open over the exec for no one: what it would have done is done by the command.
static void become_end_command(struct monitor *target) {
    static char status[64], clients[64 + CMON_MAX_CLIENTS * 12], listener[64];
    snprintf(status, sizeof status, CMON_ENV_STATUS "=%d", target->status);
    snprintf(listener, sizeof listener, CMON_ENV_LISTENER "=%d", target->listener);
    int used = snprintf(clients, sizeof clients, CMON_ENV_CLIENTS "=");
    fcntl(CMON_LOCK, F_SETFD, 0);
    fcntl(target->listener, F_SETFD, 0);
    for (int i = 0; i < target->client_count; i++) {
        if (target->clients[i].is_behind) continue;
        fcntl(target->clients[i].fd, F_SETFD, 0);
        used += snprintf(clients + used, sizeof clients - (size_t)used, "%d,", target->clients[i].fd);
    }
    char *environment[] = {status, clients, listener, "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", NULL};
    sigset_t none;
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    execve("/proc/self/exe", target->end_arguments, environment);
}

/// How long the starter may take to record the end, in milliseconds. One that is stopped must not keep it unrecorded;
/// two that record it do so once.
enum { PATIENCE = 30000 };

/// What the starter says of the end.
struct conclusion {
    int32_t code;
    /// What is left to delete, and its path; -1: nothing.
    int directory;
    const char *path;
};

/// The next packet, and the descriptor that comes with it, or -1. It stays open until we end.
static ssize_t receive_keeping(int from, char *bytes, size_t size, int *kept) {
    union {
        struct cmsghdr header;
        char bytes[CMSG_SPACE(sizeof(int))];
    } control;
    struct iovec vector = {bytes, size};
    struct msghdr message = {
        .msg_iov = &vector, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof control.bytes};
    ssize_t count = recvmsg(from, &message, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
    struct cmsghdr *header = count > 0 ? CMSG_FIRSTHDR(&message) : NULL;
    *kept = -1;
    if (header && header->cmsg_type == SCM_RIGHTS && header->cmsg_len == CMSG_LEN(sizeof *kept))
        memcpy(kept, CMSG_DATA(header), sizeof *kept);
    return count;
}

/// Reads CMON_CONCLUDED; false when it is something else.
static bool read_conclusion(const char *bytes, ssize_t count, int kept, struct conclusion *conclusion) {
    enum { PATH = 1 + sizeof conclusion->code };
    if (count < (ssize_t)PATH || bytes[0] != CMON_CONCLUDED) return false;
    memcpy(&conclusion->code, bytes + 1, sizeof conclusion->code);
    bool has_path = count > (ssize_t)PATH + 1 && memchr(bytes + PATH, 0, (size_t)count - PATH) == bytes + count - 1;
    conclusion->directory = has_path ? kept : -1;
    conclusion->path = bytes + PATH;
    return true;
}

/// Whether the starter has recorded the end, and what it said then.
static bool is_recorded_by(const struct client *starter, const struct monitor *target, struct conclusion *conclusion) {
    int64_t end = cmon_now() + PATIENCE;
    struct pollfd item = {starter->fd, POLLOUT, 0};
    while (cmon_send(starter->fd, CMON_ENDED, &target->status, sizeof target->status) != 0)
        if (poll(&item, 1, PATIENCE) <= 0 || (item.revents & (POLLHUP | POLLERR)) || cmon_now() > end) return false;
    item.events = POLLIN;
    // Stays, for the path in it.
    static char reply[1 + CMON_MAX_DATA];
    // Other packets of its are for a container that is gone.
    while (cmon_now() < end && poll(&item, 1, PATIENCE) > 0) {
        int kept;
        ssize_t count = receive_keeping(starter->fd, reply, sizeof reply, &kept);
        if (count == 0 || (count < 0 && errno != EINTR && errno != EAGAIN)) return false;
        if (read_conclusion(reply, count, kept, conclusion)) return true;
    }
    return false;
}

/// Tells everyone, lets go of them, and deletes what is left. A kill leaves the rest of that to the next command, which
/// finds its lock free.
static void leave(struct monitor *target, const struct conclusion *conclusion) {
    for (int i = 1; i < target->client_count; i++)
        cmon_send(target->clients[i].fd, CMON_RECORDED, &conclusion->code, sizeof conclusion->code);
    if (conclusion->directory >= 0) {
        for (int i = 0; i < target->client_count; i++) close(target->clients[i].fd);
        close(target->listener);
        cmon_remove(conclusion->directory, conclusion->path);
    }
    _exit(0);
}

void cmon_conclude(struct monitor *target) {
    cmon_log_end(&target->log);
    struct conclusion conclusion;
    struct client *starter = target->client_count && target->clients[0].is_starter ? &target->clients[0] : NULL;
    if (starter && (target->flags & CMON_STARTER_CONCLUDES) && is_recorded_by(starter, target, &conclusion))
        leave(target, &conclusion);
    become_end_command(target);
    // Without the command the next one of anybody's finds the lock free, and records the end.
    _exit(1);
}

static int monitor_main(void) {
    sigset_t all;
    sigfillset(&all);
    sigprocmask(SIG_SETMASK, &all, NULL);
    signal(SIGPIPE, SIG_IGN);
    prctl(PR_SET_NAME, CMON_NAME, 0, 0, 0);
    // The container's processes may share our user and, with --pid host, see us.
    prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
    if (chdir("/") != 0) return 1;
    monitor.health = (struct health){.due = -1, .pidfd = -1, .reply = -1};
    monitor.input.fd = monitor.tasks = -1;
    if (!cmon_receive_go(&monitor)) give_up();
    monitor.clients[0] = (struct client){
        .fd = CMON_CONTROL, .is_starter = true, .wants_output = (monitor.flags & CMON_ATTACHED) != 0,
        .wants_input = (monitor.flags & CMON_ATTACHED) != 0};
    monitor.client_count = 1;
    fcntl(CMON_CONTROL, F_SETFD, FD_CLOEXEC);
    if (cmon_send(CMON_CONTROL, CMON_SERVING, NULL, 0) != 0) cmon_drop_client(&monitor, 0);
    // 1.5 MB by the kernel's reading ahead.
    clinux_forget_code();
    cmon_loop(&monitor);
    cmon_conclude(&monitor);
    return 0;
}

__attribute__((constructor)) static void enter(int argc, char **argv) {
    if (argc > 0 && strcmp(argv[0], CMON_NAME) == 0) _exit(monitor_main());
}
