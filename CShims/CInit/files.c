// Nodes, links and files inside the container's tree.
#include "child.h"

#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/sysmacros.h>

enum { PROC_MAGIC = 0x9fa0 };

static uint64_t resolution(unsigned flags) {
    return RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS | (flags & CINIT_NO_LINKS ? RESOLVE_NO_SYMLINKS : 0) |
           (flags & CINIT_SAME_MOUNT ? RESOLVE_NO_XDEV : 0);
}

long op_open(struct child *child, const struct cinit_op *op) {
    child->call = CINIT_AT_OPEN;
    const char *path = string_at(child, op->path);
    if (op->dir < 0) return fill(child, op->slot, sys(openat, AT_FDCWD, path, op->a | O_CLOEXEC, 0));
    return fill(child, op->slot, open_in(child->slots[op->dir], path, op->a, resolution(op->flags)));
}

static long open_null(struct child *child, const struct cinit_op *op, uint64_t how) {
    child->call = CINIT_AT_OPEN;
    const char *path = string_at(child, op->path);
    long fd = op->dir < 0 ? sys(openat, AT_FDCWD, path, how | O_CLOEXEC | O_NOFOLLOW, 0)
                          : open_in(child->slots[op->dir], path, how | O_NOFOLLOW,
                                    resolution(op->flags) | RESOLVE_NO_SYMLINKS);
    if (fd < 0) return fd;
    struct stat status;
    child->call = CINIT_AT_VERIFY;
    long error = sys(newfstatat, fd, "", &status, AT_EMPTY_PATH);
    if (!error && (!S_ISCHR(status.st_mode) || status.st_rdev != makedev(1, 3))) error = -EINVAL;
    if (!error) return fd;
    sys(close, fd);
    return error;
}

/// Masks bind this node: one that the image made, or swapped, would expose what they should hide. To read and write,
/// it is opened only after a look at it, since opening a strange device or fifo does things.
long op_null_device(struct child *child, const struct cinit_op *op) {
    long fd = open_null(child, op, O_PATH);
    if (fd < 0 || op->a == O_PATH) return fill(child, op->slot, fd);
    sys(close, fd);
    return fill(child, op->slot, open_null(child, op, op->a | O_NOCTTY | O_NONBLOCK));
}

long op_make_path(struct child *child, const struct cinit_op *op) {
    long fd = open_target(child, child->slots[op->dir], string_at(child, op->path),
                          CINIT_MAKE_DIRECTORY | CINIT_DIRECTORY | op->flags, 1);
    if (fd < 0) return fd;
    sys(close, fd);
    return 0;
}

/// The opened directory that holds the last part of the path, made where it is missing; `name` gets that part.
static long open_parent(struct child *child, const struct cinit_op *op, const char **name) {
    const char *path = string_at(child, op->path), *last = path;
    char parent[4096];
    for (const char *c = path; *c; c++)
        if (*c == '/') last = c + 1;
    *name = last;
    size_t count = (size_t)(last - path);
    if (count >= sizeof parent) return -ENAMETOOLONG;
    for (size_t i = 0; i < count; i++) parent[i] = path[i];
    parent[count] = 0;
    if (count == 0) return sys(openat, child->slots[op->dir], ".", O_PATH | O_DIRECTORY | O_CLOEXEC);
    return open_target(child, child->slots[op->dir], parent, CINIT_MAKE_DIRECTORY | CINIT_DIRECTORY, 1);
}

/// An existing node stays: a mount of the user's, or the image's own where there is no fresh /dev.
long op_node(struct child *child, const struct cinit_op *op) {
    const char *name;
    long parent = open_parent(child, op, &name);
    if (parent < 0) return parent;
    child->call = CINIT_AT_CALL;
    long error = sys(mknodat, parent, name, op->a, op->b);
    if (!error && op->c) {
        child->call = CINIT_AT_OWNER;
        error = sys(fchownat, parent, name, (uint32_t)op->c, op->c >> 32, AT_SYMLINK_NOFOLLOW);
    }
    sys(close, parent);
    return error == -EEXIST ? 0 : error;
}

long op_link(struct child *child, const struct cinit_op *op) {
    const char *name;
    long parent = open_parent(child, op, &name);
    if (parent < 0) return parent;
    child->call = CINIT_AT_CALL;
    long error = sys(symlinkat, string_at(child, op->text), parent, name);
    sys(close, parent);
    return error == -EEXIST ? 0 : error;
}

long op_write(struct child *child, const struct cinit_op *op) {
    child->call = CINIT_AT_OPEN;
    long fd = open_in(child->slots[op->dir], string_at(child, op->path), O_WRONLY, resolution(op->flags));
    if (fd < 0) return fd;
    const char *text = string_at(child, op->text);
    long size = 0;
    while (text[size]) size++;
    child->call = CINIT_AT_WRITE;
    // One call: procfs takes a value whole or not at all.
    long count = sys(write, fd, text, size);
    long error = sys(close, fd);
    if (count < 0) return count;
    return count == size ? error : -EIO;
}

/// Into a file that was opened in the host's view; what is no procfs, be it in place of /proc, would be lied to (R5).
long op_label(struct child *child, const struct cinit_op *op) {
    struct statfs status;
    child->call = CINIT_AT_VERIFY;
    long error = sys(fstatfs, child->slots[op->slot], &status);
    if (!error && status.f_type != PROC_MAGIC) error = -EINVAL;
    if (error) return error;
    const char *text = string_at(child, op->text);
    long size = 0;
    while (text[size]) size++;
    child->call = CINIT_AT_WRITE;
    long count = sys(write, child->slots[op->slot], text, size);
    return count < 0 ? count : count == size ? 0 : -EIO;
}

/// The working directory, opened inside the root and then asked for its name: one that is not below the root has none
/// that starts with a slash (getcwd(2), "(unreachable)").
long op_work_dir(struct child *child, const struct cinit_op *op) {
    long fd = open_target(child, child->slots[op->dir], string_at(child, op->path), CINIT_DIRECTORY, 1);
    if (fd < 0) return fd;
    child->call = CINIT_AT_CALL;
    long error = sys(fchdir, fd);
    sys(close, fd);
    if (error) return error;
    char name[4096];
    child->call = CINIT_AT_VERIFY;
    long count = sys(getcwd, name, sizeof name);
    if (count < 0) return count;
    return name[0] == '/' ? 0 : -EXDEV;
}
