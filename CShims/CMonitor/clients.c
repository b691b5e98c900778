// Those who watch a container and type into it.
#include "monitor.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

/// How long one client may keep the others and the container waiting, in milliseconds. Whoever started the container
/// may for ever, as the reader of a pipe may: nothing of what it is owed is lost.
enum { TOLERANCE = 5000 };

int cmon_send(int fd, char kind, const void *bytes, size_t size) {
    struct iovec vector[2] = {{&kind, 1}, {(void *)bytes, size}};
    struct msghdr message = {.msg_iov = vector, .msg_iovlen = size ? 2 : 1};
    ssize_t count;
    do count = sendmsg(fd, &message, MSG_NOSIGNAL | MSG_DONTWAIT);
    while (count < 0 && errno == EINTR);
    return count < 0 ? -errno : 0;
}

/// Whether a process is on this side of containers' pid namespaces: root in a container that was given our directory
/// as a mount has our user ID.
static bool is_outside(pid_t pid) {
    char path[40];
    struct stat own, theirs;
    snprintf(path, sizeof path, "/proc/%d/ns/pid", (int)pid);
    // Without /proc nobody can tell.
    if (stat("/proc/self/ns/pid", &own) != 0) return true;
    return pid > 0 && stat(path, &theirs) == 0 && theirs.st_dev == own.st_dev && theirs.st_ino == own.st_ino;
}

void cmon_accept(struct monitor *monitor) {
    int fd = accept4(monitor->listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
    if (fd < 0) return;
    struct ucred peer;
    socklen_t size = sizeof peer;
    // The directory keeps others out already; a descriptor that leaked must not let them in.
    bool is_ours = getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &size) == 0 && (peer.uid == geteuid() || peer.uid == 0)
        && is_outside(peer.pid);
    if (!is_ours || monitor->client_count == CMON_MAX_CLIENTS) {
        close(fd);
        return;
    }
    monitor->clients[monitor->client_count++] = (struct client){.fd = fd};
}

void cmon_drop_client(struct monitor *monitor, int index) {
    struct client *client = &monitor->clients[index];
    bool was_starter = client->is_starter;
    close(client->fd);
    *client = monitor->clients[--monitor->client_count];
    if (was_starter && (monitor->flags & CMON_ATTACHED) && (monitor->flags & CMON_INPUT_ONCE)) cmon_end_input(monitor);
}

bool cmon_is_delivered(const struct monitor *monitor) {
    for (int i = 0; i < monitor->client_count; i++)
        if (monitor->clients[i].is_behind) return false;
    return true;
}

/// Whether the client is still there.
static bool deliver_to(struct monitor *monitor, struct client *client) {
    const struct packet *packet = &monitor->packet;
    int error = cmon_send(client->fd, packet->bytes[0], packet->bytes + 1, packet->size - 1);
    client->is_behind = error == -EAGAIN || error == -ENOBUFS;
    return error == 0 || client->is_behind;
}

void cmon_deliver(struct monitor *monitor) {
    for (int i = monitor->client_count - 1; i >= 0; i--)
        if (monitor->clients[i].wants_output && !deliver_to(monitor, &monitor->clients[i]))
            cmon_drop_client(monitor, i);
}

void cmon_drop_lagging(struct monitor *monitor) {
    if (cmon_is_delivered(monitor) || cmon_now() - monitor->packet.since < TOLERANCE) return;
    for (int i = monitor->client_count - 1; i >= 0; i--) {
        struct client *client = &monitor->clients[i];
        if (client->is_behind && !client->is_starter) cmon_drop_client(monitor, i);
    }
}

static void resize(struct monitor *monitor, const char *bytes, size_t size) {
    uint16_t cells[2];
    if (size != sizeof cells || !(monitor->flags & CMON_TERMINAL) || monitor->output < 0) return;
    memcpy(cells, bytes, sizeof cells);
    struct winsize window = {.ws_row = cells[0], .ws_col = cells[1]};
    ioctl(monitor->output, TIOCSWINSZ, &window);
}

static void take_input(struct monitor *monitor, const char *bytes, size_t size) {
    struct input *input = &monitor->input;
    // One packet at a time; of a client that is gone a second one may come.
    if (input->fd < 0 || input->is_ending || input->start != input->end) return;
    memcpy(input->bytes, bytes, size);
    input->start = 0;
    input->end = size;
    cmon_write_input(monitor);
}

/// With its master closed the kernel tells the terminal's session as it tells the shell of a closed window.
static void hang_up(struct monitor *monitor) {
    if (!(monitor->flags & CMON_TERMINAL)) return;
    if (monitor->input.fd >= 0) close(monitor->input.fd);
    if (monitor->output >= 0) close(monitor->output);
    monitor->input.fd = monitor->output = -1;
    monitor->input.start = monitor->input.end = 0;
}

/// The container sees what a process in a pipeline sees.
static void break_stream(struct monitor *monitor, int *stream) {
    if (monitor->flags & CMON_TERMINAL) {
        hang_up(monitor);
    } else if (*stream >= 0) {
        close(*stream);
        *stream = -1;
    }
}

static void obey(struct monitor *monitor, struct client *client, const char *bytes, size_t size) {
    if (bytes[0] == CMON_SUBSCRIBE && size == 2 && !client->is_starter) {
        client->wants_output = bytes[1] & CMON_WANTS_OUTPUT;
        client->wants_input = bytes[1] & CMON_WANTS_INPUT;
        cmon_send(client->fd, CMON_SERVING, NULL, 0);
    } else if (bytes[0] == CMON_BROKEN && size == 2 && client->is_starter) {
        break_stream(monitor, bytes[1] == 2 ? &monitor->error : &monitor->output);
    } else if (bytes[0] == CMON_HANG_UP && client->is_starter) {
        hang_up(monitor);
    } else if (bytes[0] == CMON_RESIZE) {
        resize(monitor, bytes + 1, size - 1);
    } else if (bytes[0] == CMON_INPUT && client->wants_input) {
        take_input(monitor, bytes + 1, size - 1);
    } else if (bytes[0] == CMON_INPUT_END && client->wants_input && (monitor->flags & CMON_INPUT_ONCE)) {
        cmon_end_input(monitor);
    }
}

void cmon_serve_client(struct monitor *monitor, int index, short ready) {
    static char bytes[1 + CMON_MAX_DATA];
    struct client *client = &monitor->clients[index];
    if ((ready & POLLOUT) && client->is_behind && !deliver_to(monitor, client)) {
        cmon_drop_client(monitor, index);
        return;
    }
    if (!(ready & (POLLIN | POLLHUP | POLLERR))) return;
    // One packet may be waiting for the container already.
    if (monitor->input.start != monitor->input.end && !(ready & (POLLHUP | POLLERR))) return;
    ssize_t count = recv(client->fd, bytes, sizeof bytes, MSG_DONTWAIT);
    if (count > 0) obey(monitor, client, bytes, (size_t)count);
    else if (count == 0 || (errno != EAGAIN && errno != EINTR)) cmon_drop_client(monitor, index);
}

void cmon_write_input(struct monitor *monitor) {
    struct input *input = &monitor->input;
    while (input->start != input->end) {
        ssize_t count = write(input->fd, input->bytes + input->start, input->end - input->start);
        if (count < 0 && errno == EINTR) continue;
        if (count < 0 && errno == EAGAIN) return;
        if (count < 0) {
            // Nobody reads any more.
            input->start = input->end = 0;
            input->is_ending = true;
            break;
        }
        input->start += (size_t)count;
    }
    if (input->is_ending && input->fd >= 0) {
        close(input->fd);
        input->fd = -1;
    }
}

void cmon_end_input(struct monitor *monitor) {
    // A terminal has no end of its own: what hangs up is the last who holds it.
    if (monitor->flags & CMON_TERMINAL) return;
    monitor->input.is_ending = true;
    if (monitor->input.fd >= 0) cmon_write_input(monitor);
}
