// One process becomes two that talk over a socket.
#include "CLinux.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <pthread.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>

int clinux_fork(void) { return (int)fork(); }

int clinux_run_on_thread(void *(*body)(void *), void *context) {
    pthread_t thread;
    int error = pthread_create(&thread, NULL, body, context);
    return error ? error : pthread_join(thread, NULL);
}

unsigned clinux_address(const void *name, size_t size, uint8_t *bytes, uint16_t *port) {
    struct sockaddr_in four;
    struct sockaddr_in6 six;
    sa_family_t family = AF_UNSPEC;
    if (size >= sizeof family) memcpy(&family, name, sizeof family);
    if (family == AF_INET && size >= sizeof four) {
        memcpy(&four, name, sizeof four);
        memcpy(bytes, &four.sin_addr, 4);
        *port = ntohs(four.sin_port);
        return 4;
    }
    if (family == AF_INET6 && size >= sizeof six - sizeof six.sin6_scope_id) {
        memset(&six, 0, sizeof six);
        memcpy(&six, name, size < sizeof six ? size : sizeof six);
        memcpy(bytes, &six.sin6_addr, 16);
        *port = ntohs(six.sin6_port);
        return 16;
    }
    return 0;
}

int clinux_connect(int socket, const void *name, size_t size) { return connect(socket, name, (socklen_t)size); }

ssize_t clinux_send_descriptors(int socket, const void *bytes, size_t count, int flags, const int *descriptors,
                                int descriptor_count) {
    union {
        struct cmsghdr header;
        char room[CMSG_SPACE(CLINUX_MAX_DESCRIPTORS * sizeof(int))];
    } control;
    struct iovec part = {.iov_base = (void *)bytes, .iov_len = count};
    struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1};
    if (descriptor_count < 0 || descriptor_count > CLINUX_MAX_DESCRIPTORS) {
        errno = EINVAL;
        return -1;
    }
    if (descriptor_count > 0) {
        size_t size = (size_t)descriptor_count * sizeof(int);
        memset(&control, 0, sizeof control);
        message.msg_control = &control;
        message.msg_controllen = CMSG_SPACE(size);
        struct cmsghdr *header = CMSG_FIRSTHDR(&message);
        header->cmsg_level = SOL_SOCKET;
        header->cmsg_type = SCM_RIGHTS;
        header->cmsg_len = CMSG_LEN(size);
        memcpy(CMSG_DATA(header), descriptors, size);
    }
    return sendmsg(socket, &message, flags | MSG_NOSIGNAL);
}

ssize_t clinux_send(int socket, const void *bytes, size_t count, int flags, int descriptor) {
    return clinux_send_descriptors(socket, bytes, count, flags, &descriptor, descriptor >= 0);
}

ssize_t clinux_receive(int socket, void *bytes, size_t count, int flags, int *descriptor) {
    union {
        struct cmsghdr header;
        char room[CMSG_SPACE(sizeof(int))];
    } control;
    struct iovec part = {.iov_base = bytes, .iov_len = count};
    struct msghdr message = {
        .msg_iov = &part, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof control};
    *descriptor = -1;
    ssize_t got = recvmsg(socket, &message, flags | MSG_CMSG_CLOEXEC);
    if (got < 0) return got;
    for (struct cmsghdr *header = CMSG_FIRSTHDR(&message); header != NULL; header = CMSG_NXTHDR(&message, header)) {
        if (header->cmsg_level == SOL_SOCKET && header->cmsg_type == SCM_RIGHTS
            && header->cmsg_len == CMSG_LEN(sizeof(int)))
            memcpy(descriptor, CMSG_DATA(header), sizeof(int));
    }
    return got;
}
