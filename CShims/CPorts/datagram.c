// Datagrams: each address that sends some has a socket of its own to the container, by which the answers come back.
#define _GNU_SOURCE
#include "ports.h"

#include <errno.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/uio.h>
#include <unistd.h>

enum {
    MAX_PEERS = 1024,
    BUCKETS = 1024,
    /// Datagrams of one socket before the others have their turn.
    BATCH = 64,
    /// After so many milliseconds of silence a peer is forgotten; one that was answered is kept for longer, as in the
    /// kernel's own tracking of connections.
    SILENCE = 90000,
    SILENCE_ANSWERED = 180000
};

/// Which of our addresses a datagram came to.
struct place {
    union {
        struct in_addr four;
        struct in6_addr six;
    };
};

struct peer {
    int fd;
    uint32_t port;
    union address address;
    struct place place;
    int64_t last;
    uint32_t turn;
    bool is_used;
    bool is_answered;
    /// Indices and one more, 0 for none: in its bucket; in the order of use, or of the free ones.
    uint32_t next_in_bucket;
    uint32_t older, newer;
};

static struct peer peers[MAX_PEERS];
static uint32_t buckets[BUCKETS];
static uint32_t touched, first_free, oldest, newest;

static uint32_t index_of(const struct peer *peer) { return (uint32_t)(peer - peers) + 1; }

/// FNV-1a; who floods a bucket slows down only the ports of this container, by at most MAX_PEERS steps.
static uint32_t bucket_of(uint32_t port, const union address *address) {
    uint32_t hash = 2166136261u ^ port;
    const unsigned char *bytes = (const unsigned char *)address;
    for (socklen_t i = 0; i < cports_length(address); i++) hash = (hash ^ bytes[i]) * 16777619u;
    return hash % BUCKETS;
}

static void unlink_use(struct peer *peer) {
    if (peer->older) peers[peer->older - 1].newer = peer->newer;
    else oldest = peer->newer;
    if (peer->newer) peers[peer->newer - 1].older = peer->older;
    else newest = peer->older;
}

static void link_newest(struct peer *peer) {
    peer->older = newest;
    peer->newer = 0;
    if (newest) peers[newest - 1].newer = index_of(peer);
    else oldest = index_of(peer);
    newest = index_of(peer);
}

static void touch(struct peer *peer) {
    peer->last = cports_now();
    unlink_use(peer);
    link_newest(peer);
}

static void forget(struct peer *peer) {
    uint32_t *at = &buckets[bucket_of(peer->port, &peer->address)];
    while (*at && *at != index_of(peer)) at = &peers[*at - 1].next_in_bucket;
    *at = peer->next_in_bucket;
    unlink_use(peer);
    close(peer->fd);
    peer->turn++;
    peer->is_used = false;
    peer->newer = first_free;
    first_free = index_of(peer);
}

static struct peer *find(uint32_t port, const union address *address, const struct place *place) {
    for (uint32_t i = buckets[bucket_of(port, address)]; i; i = peers[i - 1].next_in_bucket) {
        struct peer *peer = &peers[i - 1];
        if (peer->port == port && memcmp(&peer->address, address, sizeof *address) == 0
            && memcmp(&peer->place, place, sizeof *place) == 0)
            return peer;
    }
    return NULL;
}

static int connected_socket(const union address *target) {
    int fd = socket(target->any.sa_family, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0 && oldest && (errno == EMFILE || errno == ENFILE)) {
        forget(&peers[oldest - 1]);
        fd = socket(target->any.sa_family, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    }
    if (fd >= 0 && connect(fd, &target->any, cports_length(target)) == 0) return fd;
    if (fd >= 0) close(fd);
    return -1;
}

static struct peer *new_peer(uint32_t port, const union address *address, const struct place *place) {
    if (!first_free && touched == MAX_PEERS) forget(&peers[oldest - 1]);
    int fd = connected_socket(&cports_ports[port].target);
    if (fd < 0) return NULL;
    uint32_t index = first_free ? first_free : ++touched;
    struct peer *peer = &peers[index - 1];
    if (first_free) first_free = peer->newer;
    struct subject_key key = {.subject = OF_PEER, .turn = peer->turn, .index = index - 1};
    uint32_t *bucket = &buckets[bucket_of(port, address)];
    *peer = (struct peer){
        .fd = fd, .port = port, .address = *address, .place = *place, .last = cports_now(), .turn = peer->turn,
        .is_used = true, .next_in_bucket = *bucket};
    *bucket = index;
    link_newest(peer);
    if (cports_watch(EPOLL_CTL_ADD, fd, EPOLLIN, key) == 0) return peer;
    forget(peer);
    return NULL;
}

union control {
    struct cmsghdr header;
    char bytes[CMSG_SPACE(sizeof(struct in6_pktinfo)) + CMSG_SPACE(sizeof(struct in_pktinfo))];
};

/// One datagram of a port's; its size, or -1.
static ssize_t receive(int fd, union address *address, struct place *place) {
    union control control;
    struct iovec vector = {cports_scratch, sizeof cports_scratch};
    struct msghdr message = {
        .msg_name = address, .msg_namelen = sizeof *address, .msg_iov = &vector, .msg_iovlen = 1,
        .msg_control = &control, .msg_controllen = sizeof control};
    // Compared byte by byte.
    memset(address, 0, sizeof *address);
    memset(place, 0, sizeof *place);
    ssize_t size = recvmsg(fd, &message, MSG_DONTWAIT);
    if (size < 0) return size;
    for (struct cmsghdr *item = CMSG_FIRSTHDR(&message); item; item = CMSG_NXTHDR(&message, item)) {
        if (item->cmsg_level == IPPROTO_IP && item->cmsg_type == IP_PKTINFO) {
            struct in_pktinfo info;
            memcpy(&info, CMSG_DATA(item), sizeof info);
            place->four = info.ipi_spec_dst;
        } else if (item->cmsg_level == IPPROTO_IPV6 && item->cmsg_type == IPV6_PKTINFO) {
            struct in6_pktinfo info;
            memcpy(&info, CMSG_DATA(item), sizeof info);
            place->six = info.ipi6_addr;
        }
    }
    return size;
}

void cports_serve_port(uint32_t index) {
    for (int i = 0; i < BATCH; i++) {
        union address address;
        struct place place;
        ssize_t size = receive(cports_ports[index].fd, &address, &place);
        if (size < 0) return;
        struct peer *peer = find(index, &address, &place);
        if (!peer) peer = new_peer(index, &address, &place);
        if (!peer) continue;
        touch(peer);
        // The first failure may be what the container said of an earlier one: nobody listens there. It may since.
        if (send(peer->fd, cports_scratch, (size_t)size, MSG_DONTWAIT) < 0 && errno == ECONNREFUSED)
            send(peer->fd, cports_scratch, (size_t)size, MSG_DONTWAIT);
    }
}

static void answer(struct peer *peer, size_t size) {
    union control control;
    memset(&control, 0, sizeof control);
    struct iovec vector = {cports_scratch, size};
    struct msghdr message = {
        .msg_name = &peer->address, .msg_namelen = cports_length(&peer->address), .msg_iov = &vector, .msg_iovlen = 1,
        .msg_control = &control};
    if (peer->address.any.sa_family == AF_INET6) {
        struct in6_pktinfo info = {.ipi6_addr = peer->place.six};
        control.header = (struct cmsghdr){
            .cmsg_level = IPPROTO_IPV6, .cmsg_type = IPV6_PKTINFO, .cmsg_len = CMSG_LEN(sizeof info)};
        memcpy(CMSG_DATA(&control.header), &info, sizeof info);
        message.msg_controllen = CMSG_SPACE(sizeof info);
    } else {
        struct in_pktinfo info = {.ipi_spec_dst = peer->place.four};
        control.header = (struct cmsghdr){
            .cmsg_level = IPPROTO_IP, .cmsg_type = IP_PKTINFO, .cmsg_len = CMSG_LEN(sizeof info)};
        memcpy(CMSG_DATA(&control.header), &info, sizeof info);
        message.msg_controllen = CMSG_SPACE(sizeof info);
    }
    sendmsg(cports_ports[peer->port].fd, &message, MSG_DONTWAIT | MSG_NOSIGNAL);
}

void cports_serve_peer(uint32_t index, uint32_t turn) {
    struct peer *peer = &peers[index];
    if (!peer->is_used || (peer->turn & 0xfffffff) != turn) return;
    for (int i = 0; i < BATCH; i++) {
        ssize_t size = recv(peer->fd, cports_scratch, sizeof cports_scratch, MSG_DONTWAIT);
        // "Nobody listens" was the container's answer, which a datagram's sender can't be told from here.
        if (size < 0 && errno == ECONNREFUSED) continue;
        if (size < 0) return;
        peer->is_answered = true;
        touch(peer);
        answer(peer, (size_t)size);
    }
}

bool cports_expire_peers(void) {
    int64_t now = cports_now();
    for (uint32_t i = oldest, next; i; i = next) {
        struct peer *peer = &peers[i - 1];
        next = peer->newer;
        if (now - peer->last >= (peer->is_answered ? SILENCE_ANSWERED : SILENCE)) forget(peer);
    }
    return oldest != 0;
}
