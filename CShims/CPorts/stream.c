// Connections: two sockets each, and what one end says is said to the other. Bytes stay in the kernel's buffer of the
// socket they came by until the other has taken them, so an end that does not read costs us nothing and slows down
// only whoever talks to it.
#define _GNU_SOURCE
#include "ports.h"

#include <errno.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <unistd.h>

enum { MAX_STREAMS = 16384, CLIENT = 0, TARGET = 1, BATCH = 16, PORTIONS = 4 };

struct side {
    int fd;
    uint32_t watched;
    /// Has said its last, which the other side knows.
    bool has_ended;
    /// Takes no more at the moment.
    bool is_full;
    /// Its hang-up is known and would be told again and again: it is not watched.
    bool is_unwatched;
};

struct stream {
    struct side sides[2];
    uint32_t turn;
    bool is_used;
    bool is_connecting;
    /// One more than the index of the next free one.
    uint32_t next_free;
};

static struct stream streams[MAX_STREAMS];
/// How many were ever used, are used and may be; one more than the index of the first that is free again.
static uint32_t touched, used, most = 1, first_free;

void cports_limit_streams(uint32_t count) { most = count < MAX_STREAMS ? count : MAX_STREAMS; }

static struct subject_key key_of(const struct stream *stream, int side) {
    uint32_t index = (uint32_t)(stream - streams);
    return (struct subject_key){.subject = OF_STREAM, .turn = stream->turn, .index = index << 1 | (uint32_t)side};
}

static void release(struct stream *stream) {
    for (int i = 0; i < 2; i++)
        close(stream->sides[i].fd);
    stream->turn++;
    stream->is_used = false;
    stream->next_free = first_free;
    first_free = (uint32_t)(stream - streams) + 1;
    used--;
    cports_resume();
}

/// Both ends see that it broke, and not an end that somebody meant.
static void break_off(struct stream *stream) {
    struct linger at_once = {.l_onoff = 1, .l_linger = 0};
    for (int i = 0; i < 2; i++) setsockopt(stream->sides[i].fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
    release(stream);
}

static uint32_t wanted(const struct stream *stream, int side) {
    const struct side *self = &stream->sides[side], *other = &stream->sides[!side];
    if (stream->is_connecting) return side == TARGET ? EPOLLOUT : 0;
    return (!self->has_ended && !other->is_full ? EPOLLIN : 0) | (self->is_full ? EPOLLOUT : 0);
}

static bool rewatch(struct stream *stream, int side) {
    struct side *self = &stream->sides[side];
    uint32_t events = wanted(stream, side);
    if (self->is_unwatched && !events) return true;
    if (!self->is_unwatched && events == self->watched) return true;
    int operation = self->is_unwatched ? EPOLL_CTL_ADD : EPOLL_CTL_MOD;
    self->watched = events;
    self->is_unwatched = false;
    return cports_watch(operation, self->fd, events, key_of(stream, side)) == 0;
}

/// Small answers go out at once, as both ends are used to; an end that was switched off is noticed in the end.
static void tune(int fd) {
    int one = 1, idle = 60, interval = 15, probes = 5;
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &one, sizeof one);
    setsockopt(fd, IPPROTO_TCP, TCP_KEEPIDLE, &idle, sizeof idle);
    setsockopt(fd, IPPROTO_TCP, TCP_KEEPINTVL, &interval, sizeof interval);
    setsockopt(fd, IPPROTO_TCP, TCP_KEEPCNT, &probes, sizeof probes);
}

static struct stream *new_stream(int client, int target) {
    uint32_t index = first_free ? first_free - 1 : touched++;
    struct stream *stream = &streams[index];
    if (first_free) first_free = stream->next_free;
    used++;
    stream->is_used = stream->is_connecting = true;
    stream->sides[CLIENT] = (struct side){.fd = client};
    stream->sides[TARGET] = (struct side){.fd = target};
    return stream;
}

static bool begin(struct stream *stream, const union address *target) {
    struct side *sides = stream->sides;
    tune(sides[CLIENT].fd);
    tune(sides[TARGET].fd);
    if (connect(sides[TARGET].fd, &target->any, cports_length(target)) != 0 && errno != EINPROGRESS) return false;
    for (int i = 0; i < 2; i++) {
        sides[i].watched = wanted(stream, i);
        if (cports_watch(EPOLL_CTL_ADD, sides[i].fd, sides[i].watched, key_of(stream, i)) != 0) return false;
    }
    return true;
}

static bool is_shortage(int error) {
    return error == EMFILE || error == ENFILE || error == ENOBUFS || error == ENOMEM;
}

void cports_accept(uint32_t index) {
    const union address *target = &cports_ports[index].target;
    for (int i = 0; i < BATCH; i++) {
        if (used >= most) return cports_pause();
        // The one to the container first: a client that is accepted can be served.
        int ours = socket(target->any.sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
        int client = ours < 0 ? -1 : accept4(cports_ports[index].fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
        if (client < 0) {
            int error = errno;
            if (ours >= 0) close(ours);
            if (ours < 0 || is_shortage(error)) cports_pause();
            // A client that has gone again is no error of the port's (accept(2)); what is left is told of once more.
            return;
        }
        struct stream *stream = new_stream(client, ours);
        if (!begin(stream, target)) break_off(stream);
    }
}

/// Passes on what one side says. False when one of them is broken.
static bool pump(struct stream *stream, int from) {
    struct side *source = &stream->sides[from], *sink = &stream->sides[!from];
    for (int i = 0; i < PORTIONS && !source->has_ended && !sink->is_full; i++) {
        ssize_t seen = recv(source->fd, cports_scratch, sizeof cports_scratch, MSG_PEEK | MSG_DONTWAIT);
        if (seen < 0) return errno == EAGAIN || errno == EINTR;
        if (seen == 0) {
            source->has_ended = true;
            return shutdown(sink->fd, SHUT_WR) == 0;
        }
        ssize_t taken = send(sink->fd, cports_scratch, (size_t)seen, MSG_NOSIGNAL | MSG_DONTWAIT);
        if (taken < 0 && errno != EAGAIN && errno != EINTR) return false;
        sink->is_full = taken < seen;
        // What was taken leaves the queue, without being copied again (tcp(7)).
        if (taken > 0 && recv(source->fd, cports_scratch, (size_t)taken, MSG_TRUNC | MSG_DONTWAIT) != taken) return false;
        if ((size_t)seen < sizeof cports_scratch) return true;
    }
    return true;
}

static int error_of(int fd) {
    int error = 0;
    socklen_t size = sizeof error;
    return getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &size) == 0 ? error : errno;
}

/// What one event says. False for a broken connection.
static bool advance(struct stream *stream, int side, uint32_t events) {
    struct side *self = &stream->sides[side];
    if ((events & (EPOLLERR | EPOLLHUP)) && error_of(self->fd) != 0) return false;
    if (stream->is_connecting) {
        // A client that hangs up before it is connected wants nothing any more.
        if (side == CLIENT) return false;
        stream->is_connecting = false;
    }
    if (events & EPOLLOUT) self->is_full = false;
    if (!pump(stream, CLIENT) || !pump(stream, TARGET)) return false;
    if ((events & EPOLLHUP) && !wanted(stream, side)) {
        self->is_unwatched = cports_watch(EPOLL_CTL_DEL, self->fd, 0, key_of(stream, side)) == 0;
        self->watched = 0;
    }
    return true;
}

void cports_serve_stream(uint32_t index, uint32_t turn, uint32_t events) {
    struct stream *stream = &streams[index >> 1];
    if (!stream->is_used || (stream->turn & 0xfffffff) != turn) return;
    if (!advance(stream, (int)(index & 1), events)) return break_off(stream);
    if (stream->sides[CLIENT].has_ended && stream->sides[TARGET].has_ended) return release(stream);
    if (!rewatch(stream, CLIENT) || !rewatch(stream, TARGET)) break_off(stream);
}

void cports_flush_streams(void) {
    for (uint32_t i = 0; i < touched; i++)
        if (streams[i].is_used) pump(&streams[i], TARGET);
}
