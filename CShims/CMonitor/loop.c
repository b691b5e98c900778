// The monitor's one loop: bytes between the container and its clients and log, the container's end, health checks.
#include "monitor.h"

#include <errno.h>
#include <stdint.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum { LINGER = 1000, FIXED = 6 };

enum { AT_PIDFD, AT_OUTPUT, AT_ERROR, AT_INPUT, AT_LISTENER, AT_HEALTH };

/// Reads once from the container; to the log and to all clients with it. False at the end.
static bool take_output(struct monitor *monitor, int fd, char kind, int stream) {
    struct packet *packet = &monitor->packet;
    ssize_t count = read(fd, packet->bytes + 1, CMON_MAX_DATA);
    if (count < 0 && (errno == EINTR || errno == EAGAIN)) return true;
    // EIO: the last holder of the terminal's other side is gone (pty(7)), its end of file.
    if (count <= 0) return false;
    packet->bytes[0] = kind;
    packet->size = 1 + (size_t)count;
    packet->since = monitor->last_output = cmon_now();
    cmon_log_write(&monitor->log, stream, packet->bytes + 1, (size_t)count);
    cmon_deliver(monitor);
    return true;
}

static int64_t end_of_linger(const struct monitor *monitor) { return monitor->last_output + LINGER; }

/// Milliseconds to wait at most; -1: for ever.
static int patience(const struct monitor *monitor) {
    enum { FOR_EVER = INT32_MAX };
    int64_t wait = FOR_EVER, now = cmon_now();
    // A full disk may have room again: the log is flushed before each wait.
    if (!cmon_is_delivered(monitor) || cmon_log_is_behind(&monitor->log)) wait = 1000;
    int64_t due = -1;
    // What a slow client is owed ends the wait when it is taken, not before.
    if (monitor->has_ended && cmon_is_delivered(monitor)) due = end_of_linger(monitor);
    if (!monitor->has_ended && monitor->health.pidfd < 0) due = monitor->health.due;
    if (due >= 0 && due - now < wait) wait = due > now ? due - now : 0;
    return wait == FOR_EVER ? -1 : (int)wait;
}

static int prepare(const struct monitor *monitor, struct pollfd *items) {
    bool reads = cmon_is_delivered(monitor), has_room = monitor->input.start == monitor->input.end;
    items[AT_PIDFD] = (struct pollfd){monitor->has_ended ? -1 : CMON_PIDFD, POLLIN, 0};
    items[AT_OUTPUT] = (struct pollfd){reads ? monitor->output : -1, POLLIN, 0};
    items[AT_ERROR] = (struct pollfd){reads ? monitor->error : -1, POLLIN, 0};
    items[AT_INPUT] = (struct pollfd){has_room ? -1 : monitor->input.fd, POLLOUT, 0};
    items[AT_LISTENER] = (struct pollfd){monitor->client_count < CMON_MAX_CLIENTS ? monitor->listener : -1, POLLIN, 0};
    items[AT_HEALTH] = (struct pollfd){monitor->health.pidfd, POLLIN, 0};
    for (int i = 0; i < monitor->client_count; i++) {
        const struct client *client = &monitor->clients[i];
        short events = (short)((has_room ? POLLIN : 0) | (client->is_behind ? POLLOUT : 0));
        items[FIXED + i] = (struct pollfd){client->fd, events, 0};
    }
    return FIXED + monitor->client_count;
}

static bool is_drained(const struct monitor *monitor) {
    return monitor->has_ended && cmon_is_delivered(monitor) && monitor->output < 0 && monitor->error < 0;
}

/// Asked when a poll has just found nothing to read: a process outside the container may hold the other end, and a second
/// without a byte is the end as well. What lies in the pipe while a slow client is waited for is never given up so.
static bool is_silent(const struct monitor *monitor) {
    return monitor->has_ended && cmon_is_delivered(monitor) && cmon_now() >= end_of_linger(monitor);
}

static void close_stream(int *fd) {
    close(*fd);
    *fd = -1;
}

static void serve(struct monitor *monitor, const struct pollfd *items, int clients) {
    // From the last to the first: one that is dropped is replaced by the last.
    for (int i = clients - 1; i >= 0; i--)
        if (items[FIXED + i].revents) cmon_serve_client(monitor, i, items[FIXED + i].revents);
    if (items[AT_INPUT].revents) cmon_write_input(monitor);
    if (items[AT_LISTENER].revents) cmon_accept(monitor);
    if (items[AT_HEALTH].revents) cmon_finish_check(monitor);
    if (items[AT_OUTPUT].revents && monitor->output >= 0 && !take_output(monitor, monitor->output, CMON_OUTPUT, 1))
        close_stream(&monitor->output);
    if (items[AT_ERROR].revents && monitor->error >= 0 && cmon_is_delivered(monitor) &&
        !take_output(monitor, monitor->error, CMON_ERROR, 2))
        close_stream(&monitor->error);
    if (items[AT_PIDFD].revents) cmon_reap(monitor, WNOHANG);
}

void cmon_loop(struct monitor *monitor) {
    struct pollfd items[FIXED + CMON_MAX_CLIENTS];
    while (!is_drained(monitor)) {
        int count = prepare(monitor, items), clients = monitor->client_count;
        int ready = poll(items, (nfds_t)count, 0);
        if (ready == 0) {
            if (is_silent(monitor)) return;
            // Nothing to do: what was gathered for the log is written before the wait.
            cmon_log_flush(&monitor->log);
            ready = poll(items, (nfds_t)count, patience(monitor));
        }
        if (ready > 0) serve(monitor, items, clients);
        cmon_drop_lagging(monitor);
        if (cmon_is_check_due(monitor)) cmon_start_check(monitor);
    }
}
