// What the holder's files share. One thread and no heap: all state lies in fixed tables, of which only the used pages
// take memory.
#ifndef CPORTS_PORTS_H
#define CPORTS_PORTS_H

#include "CPorts.h"

#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

union address {
    struct sockaddr any;
    struct sockaddr_in four;
    struct sockaddr_in6 six;
};

/// A published port's socket.
struct port {
    int fd;
    enum cports_transport transport;
    union address target;
};

/// What an event of epoll is about.
enum subject { OF_PROCESS, OF_DOOR, OF_STREAM, OF_PORT, OF_PEER };

/// A slot of a table is used again: an event that was fetched for its last user must not reach the next.
struct subject_key {
    enum subject subject;
    uint32_t turn;
    uint32_t index;
};

extern struct port cports_ports[CPORTS_MAX_SOCKETS];
extern uint32_t cports_port_count;
/// For bytes on their way: none stay here between two events.
extern char cports_scratch[128 << 10];

int64_t cports_now(void);
socklen_t cports_length(const union address *address);

/// Both epoll instances with all ports in them; -1 with errno.
int cports_prepare(uint32_t descriptors);
/// Runs until the container has ended.
void cports_loop(void);

/// EPOLL_CTL_ADD, MOD or DEL.
int cports_watch(int operation, int fd, uint32_t events, struct subject_key key);
/// No connection is accepted until one has ended or a second has passed.
void cports_pause(void);
void cports_resume(void);

/// How many connections there may be.
void cports_limit_streams(uint32_t count);
/// Accepts what waits at a port.
void cports_accept(uint32_t port);
void cports_serve_stream(uint32_t index, uint32_t turn, uint32_t events);
/// Passes on what the container has said last.
void cports_flush_streams(void);

void cports_serve_port(uint32_t port);
void cports_serve_peer(uint32_t index, uint32_t turn);
/// Lets go of those that were silent for too long. Whether there are any left.
bool cports_expire_peers(void);

#endif
