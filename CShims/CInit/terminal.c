// Standard descriptors and the pseudo-terminal.
#include "child.h"

#include <linux/close_range.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/uio.h>

enum { FIRST_SPARE_FD = 10, DEVPTS_MAGIC = 0x1cd1 };

long send_descriptor(struct child *child, uint32_t kind, int fd) {
    struct cinit_report report = {.kind = kind};
    struct iovec vector = {&report, sizeof report};
    union {
        struct cmsghdr header;
        char bytes[CMSG_SPACE(sizeof(int))];
    } control = {.header = {.cmsg_len = CMSG_LEN(sizeof(int)), .cmsg_level = SOL_SOCKET, .cmsg_type = SCM_RIGHTS}};
    *(int *)CMSG_DATA(&control.header) = fd;
    struct msghdr message = {
        .msg_iov = &vector, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof control.bytes};
    long count = sys(sendmsg, child->report, &message, MSG_NOSIGNAL);
    return count < 0 ? count : 0;
}

static long open_master(struct child *child, int devpts) {
    struct statfs system;
    child->call = CINIT_AT_VERIFY;
    long found = sys(fstatfs, devpts, &system);
    if (found < 0) return found;
    if (system.f_type != DEVPTS_MAGIC) return -ENODEV;
    child->call = CINIT_AT_OPEN;
    return open_in(devpts, "ptmx", O_RDWR | O_NOCTTY, RESOLVE_IN_ROOT | RESOLVE_NO_SYMLINKS | RESOLVE_NO_XDEV);
}

/// From the container's own devpts, where nobody can make a node: a running container might have put something else in
/// its place. The peer is asked of the master (TIOCGPTPEER), never opened by a name that something else could have taken.
long op_pty(struct child *child, const struct cinit_op *op) {
    long master = op->flags & CINIT_HOST_TERMINAL ? sys(openat, AT_FDCWD, "/dev/ptmx", O_RDWR | O_NOCTTY | O_CLOEXEC)
                                                  : open_master(child, child->slots[op->dir]);
    if (master < 0) return master;
    int unlocked = 0;
    struct winsize size = {.ws_row = (unsigned short)op->a, .ws_col = (unsigned short)(op->a >> 16)};
    child->call = CINIT_AT_CALL;
    long error = sys(ioctl, master, TIOCSPTLCK, &unlocked);
    long slave = error ? error : sys(ioctl, master, TIOCGPTPEER, O_RDWR | O_NOCTTY | O_CLOEXEC);
    error = slave < 0 ? slave : 0;
    if (!error && op->a) error = sys(ioctl, master, TIOCSWINSZ, &size);
    if (!error && op->c) {
        child->call = CINIT_AT_OWNER;
        error = sys(fchown, slave, op->c, -1);
    }
    if (!error) {
        child->call = CINIT_AT_SEND;
        error = send_descriptor(child, CINIT_TERMINAL_MASTER, (int)master);
    }
    sys(close, master);
    return error ? error : fill(child, op->slot, slave);
}

/// Moves three descriptors to 0, 1, 2 in whatever order they come: first all above, then all down.
static long place(struct child *child, const int *from) {
    long spare[3];
    child->call = CINIT_AT_CALL;
    for (int i = 0; i < 3; i++) {
        spare[i] = sys(fcntl, from[i], F_DUPFD_CLOEXEC, FIRST_SPARE_FD);
        if (spare[i] < 0) return spare[i];
    }
    for (int i = 0; i < 3; i++) {
        long error = sys(dup3, spare[i], i, 0);
        if (error < 0) return error;
        sys(close, spare[i]);
    }
    return 0;
}

/// A pipe must belong to the container's user to be opened again as /dev/stdout; a user's own files stay as they are.
static void give_pipes(const int *fds, int uid) {
    for (int i = 0; i < 3; i++) {
        struct stat status;
        if (sys(fstat, fds[i], &status) == 0 && S_ISFIFO(status.st_mode)) sys(fchown, fds[i], uid, -1);
    }
}

long op_stdio(struct child *child, const struct cinit_op *op) {
    int fds[3] = {(int)op->a, (int)op->b, (int)(uint32_t)op->c}, uid = (int)(op->c >> 32);
    for (int i = 0; i < 3; i++)
        if (fds[i] < 0) fds[i] = child->slots[op->slot];
    if (uid) give_pipes(fds, uid);
    return place(child, fds);
}

long op_terminal(struct child *child, const struct cinit_op *op) {
    int slave = child->slots[op->slot];
    int fds[3] = {slave, slave, slave};
    long error = place(child, fds);
    if (error) return error;
    if (!op->a) return 0;
    child->call = CINIT_AT_CALL;
    return sys(ioctl, 0, TIOCSCTTY, 0);
}

/// Nothing of ours or of the caller's passes exec but 0, 1, 2, what is kept for the command, the report socket, which the
/// stub closes, and the gate. All of ours moves above the places first, of which each may be one.
long op_seal_descriptors(struct child *child, const struct cinit_op *op) {
    int first = CINIT_REPORT_FD + (int)op->a, gate = op->b != 0;
    int ours[4] = {child->report, child->stub, (int)op->b, (int)op->c}, count = gate ? 4 : op->a ? 2 : 0;
    child->call = CINIT_AT_CALL;
    for (int i = 0; i < count; i++) {
        long moved = sys(fcntl, ours[i], F_DUPFD_CLOEXEC, first + 3);
        if (moved < 0) return moved;
        ours[i] = (int)moved;
    }
    long error = sys(close_range, first, ~0U, CLOSE_RANGE_CLOEXEC);
    if (error) return error;
    error = sys(dup3, ours[0], first, 0);
    if (error >= 0 && gate) error = sys(dup3, ours[2], first + CINIT_GATE_START, 0);
    if (error >= 0 && gate) error = sys(dup3, ours[3], first + CINIT_GATE_REPORT, 0);
    if (error < 0) return error;
    child->report = first;
    child->stub = ours[1];
    return 0;
}
