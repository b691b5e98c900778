// What the monitor's files share. One thread, no heap: all state is in these values.
#ifndef CMONITOR_MONITOR_H
#define CMONITOR_MONITOR_H

#define _GNU_SOURCE
#include "CMonitor.h"
#include "CMonitorProtocol.h"
#include "log.h"

#include <poll.h>
#include <stdbool.h>
#include <sys/types.h>

struct client {
    int fd;
    bool wants_output;
    bool wants_input;
    bool is_starter;
    /// The packet on its way to all has not reached this one yet.
    bool is_behind;
};

/// One packet on its way to the clients: no more is read from the container until all have it.
struct packet {
    size_t size;
    int64_t since;
    char bytes[1 + CMON_MAX_DATA];
};

/// Input on its way into the container.
struct input {
    int fd;
    size_t start;
    size_t end;
    bool is_ending;
    char bytes[CMON_MAX_DATA];
};

struct health {
    char **arguments;
    /// When the next check is due, in milliseconds of the monotonic clock; -1: never.
    int64_t due;
    /// The command that checks, by its descriptor, and where it says when the next is due; -1: none.
    int pidfd;
    int reply;
};

struct monitor {
    uint32_t flags;
    int output;
    int error;
    int listener;
    /// The list of the container's processes, or -1: of what may outlive the first of them.
    int tasks;
    bool has_ended;
    int status;
    int64_t last_output;
    char **end_arguments;
    struct health health;
    struct input input;
    struct packet packet;
    struct client clients[CMON_MAX_CLIENTS];
    int client_count;
    struct cmon_log log;
};

int64_t cmon_now(void);

/// Runs until the container has ended and all that it wrote is delivered.
void cmon_loop(struct monitor *monitor);

/// Receives the first message. False when the starter gave up or said something else.
bool cmon_receive_go(struct monitor *monitor);

void cmon_accept(struct monitor *monitor);
/// Hands `packet` to all clients that want output and are not behind.
void cmon_deliver(struct monitor *monitor);
bool cmon_is_delivered(const struct monitor *monitor);
/// Serves what `ready` says of client `index`.
void cmon_serve_client(struct monitor *monitor, int index, short ready);
void cmon_drop_client(struct monitor *monitor, int index);
/// Lets go of those that have kept everyone waiting for too long.
void cmon_drop_lagging(struct monitor *monitor);
int cmon_send(int fd, char kind, const void *bytes, size_t size);

void cmon_write_input(struct monitor *monitor);
void cmon_end_input(struct monitor *monitor);

bool cmon_is_check_due(const struct monitor *monitor);
void cmon_start_check(struct monitor *monitor);
/// Takes the answer of a check's command that has ended.
void cmon_finish_check(struct monitor *monitor);

/// Reaps the container's first process and ends what it left. With `options` WNOHANG, false when it runs yet.
bool cmon_reap(struct monitor *monitor, int options);

/// Kills and reaps whatever else is a child of the monitor's: what another runtime had made by then.
void cmon_end_children(void);

/// Tells the starter, or becomes the command that records the end. Does not return.
void cmon_conclude(struct monitor *monitor);

#endif
