// What happens when.
#define _GNU_SOURCE
#include "ports.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/epoll.h>
#include <time.h>
#include <unistd.h>

enum {
    /// Descriptors beside the ports and those of the connections.
    KEPT = 64,
    /// Those of the other end of datagrams (datagram.c).
    PEERS = 1024,
    EVENTS = 64,
    /// Milliseconds between two looks at who is silent, and until a port that was left alone is looked at again.
    ROUND = 10000,
    PAUSE = 1000
};

/// All listening sockets lie in an epoll of their own, `door`, which is one descriptor of the other: so all of them are
/// shut and opened by one call.
static int events_fd, door;
static bool is_paused;

int64_t cports_now(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (int64_t)time.tv_sec * 1000 + time.tv_nsec / 1000000;
}

socklen_t cports_length(const union address *address) {
    return address->any.sa_family == AF_INET6 ? sizeof address->six : sizeof address->four;
}

static uint64_t packed(struct subject_key key) {
    return (uint64_t)key.subject << 60 | (uint64_t)(key.turn & 0xfffffff) << 32 | key.index;
}

static int watch(int queue, int operation, int fd, uint32_t events, struct subject_key key) {
    struct epoll_event event = {.events = events, .data.u64 = packed(key)};
    return epoll_ctl(queue, operation, fd, &event);
}

int cports_watch(int operation, int fd, uint32_t events, struct subject_key key) {
    return watch(events_fd, operation, fd, events, key);
}

static const struct subject_key at_door = {.subject = OF_DOOR};

void cports_pause(void) {
    if (!is_paused) is_paused = cports_watch(EPOLL_CTL_MOD, door, 0, at_door) == 0;
}

void cports_resume(void) {
    if (is_paused) is_paused = cports_watch(EPOLL_CTL_MOD, door, EPOLLIN, at_door) != 0;
}

static int add_port(uint32_t index) {
    struct port *port = &cports_ports[index];
    struct subject_key key = {.subject = OF_PORT, .index = index};
    int one = 1;
    // Of a socket that is asked once too often we would wait for an answer.
    if (fcntl(port->fd, F_SETFL, O_RDWR | O_NONBLOCK) != 0) return -1;
    switch (port->transport) {
    case CPORTS_TCP: return watch(door, EPOLL_CTL_ADD, port->fd, EPOLLIN, key);
    case CPORTS_UDP:
        // A host has several addresses: the answer is to come from the one that was asked.
        if (setsockopt(port->fd, IPPROTO_IP, IP_PKTINFO, &one, sizeof one) != 0
            && setsockopt(port->fd, IPPROTO_IPV6, IPV6_RECVPKTINFO, &one, sizeof one) != 0)
            return -1;
        setsockopt(port->fd, IPPROTO_IPV6, IPV6_RECVPKTINFO, &one, sizeof one);
        return cports_watch(EPOLL_CTL_ADD, port->fd, EPOLLIN, key);
    default: return 0;
    }
}

int cports_prepare(uint32_t descriptors) {
    uint32_t taken = cports_port_count + KEPT + PEERS;
    cports_limit_streams(descriptors > taken ? (descriptors - taken) / 2 : 1);
    events_fd = epoll_create1(EPOLL_CLOEXEC);
    door = epoll_create1(EPOLL_CLOEXEC);
    if (events_fd < 0 || door < 0) return -1;
    if (cports_watch(EPOLL_CTL_ADD, CPORTS_PIDFD, EPOLLIN, (struct subject_key){.subject = OF_PROCESS}) != 0) return -1;
    for (uint32_t i = 0; i < cports_port_count; i++)
        if (add_port(i) != 0) return -1;
    return cports_watch(EPOLL_CTL_ADD, door, EPOLLIN, at_door);
}

static void open_door(void) {
    struct epoll_event events[EVENTS];
    int count = epoll_wait(door, events, EVENTS, 0);
    for (int i = 0; i < count && !is_paused; i++) cports_accept((uint32_t)events[i].data.u64);
}

/// False for the container's end.
static bool serve(const struct epoll_event *event) {
    uint32_t turn = (uint32_t)(event->data.u64 >> 32) & 0xfffffff, index = (uint32_t)event->data.u64;
    switch ((enum subject)(event->data.u64 >> 60)) {
    case OF_PROCESS: return false;
    case OF_DOOR: open_door(); break;
    case OF_STREAM: cports_serve_stream(index, turn, event->events); break;
    case OF_PORT: cports_serve_port(index); break;
    case OF_PEER: cports_serve_peer(index, turn); break;
    }
    return true;
}

void cports_loop(void) {
    struct epoll_event events[EVENTS];
    int64_t next_round = cports_now() + ROUND;
    bool has_peers = true;
    for (;;) {
        int count = epoll_wait(events_fd, events, EVENTS, is_paused ? PAUSE : has_peers ? ROUND : -1);
        if (count < 0 && errno != EINTR) return;
        if (is_paused && count == 0) cports_resume();
        for (int i = 0; i < count; i++)
            if (!serve(&events[i])) {
                cports_flush_streams();
                return;
            }
        if (cports_now() < next_round) {
            has_peers = true;
            continue;
        }
        has_peers = cports_expire_peers();
        next_round = cports_now() + ROUND;
    }
}
