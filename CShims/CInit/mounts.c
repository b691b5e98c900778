// Mount operations: everything is built as a detached mount and moved to an opened target (move_mount(2)), so no path
// is walked twice.
#include "child.h"

#include <limits.h>
#include <sched.h>
#include <sys/stat.h>
#include <sys/statfs.h>

enum { PROC_MAGIC = 0x9fa0, MOUNT_PRIVATE = 1 << 18, UNMOUNT_DETACH = 2 };

static long clone_tree(int dir, const char *path, unsigned flags) {
    return sys(open_tree, dir, path, OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | flags);
}

static long move_to(int from, int to) {
    return sys(move_mount, from, "", to, "", MOVE_MOUNT_F_EMPTY_PATH | MOVE_MOUNT_T_EMPTY_PATH);
}

static long set_attributes(int fd, uint64_t set, uint64_t clear, uint64_t propagation, int recursive) {
    struct mount_attr attributes = {.attr_set = set, .attr_clr = clear, .propagation = propagation};
    return sys(mount_setattr, fd, "", AT_EMPTY_PATH | (recursive ? AT_RECURSIVE : 0), &attributes, sizeof attributes);
}

long op_clone_tree(struct child *child, const struct cinit_op *op) {
    unsigned flags = op->a ? AT_RECURSIVE : 0;
    child->call = CINIT_AT_OPEN_TREE;
    if (!op->path) return fill(child, op->slot, clone_tree(descriptor(child, op->dir), "", AT_EMPTY_PATH | flags));
    return fill(child, op->slot, clone_tree(descriptor(child, op->dir), string_at(child, op->path), flags));
}

/// From the view of the process's own mounts: what lies at `path` there.
static long copy_in_view(struct child *child, const struct cinit_op *op) {
    child->call = CINIT_AT_OPEN;
    long found = open_in(AT_FDCWD, string_at(child, op->path), O_PATH | O_DIRECTORY,
                         RESOLVE_IN_ROOT | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS);
    if (found < 0) return found;
    struct statfs status;
    child->call = CINIT_AT_VERIFY;
    long copy = op->a ? sys(fstatfs, found, &status) : 0;
    if (!copy && op->a && (uint64_t)status.f_type != op->a) copy = -EINVAL;
    if (!copy) {
        child->call = CINIT_AT_OPEN_TREE;
        copy = clone_tree((int)found, "", AT_EMPTY_PATH);
    }
    sys(close, found);
    return copy;
}

/// A mount can be copied only by who is in its mount namespace, so that is visited: for this alone, and nothing of ours
/// is to be seen there, since our pid namespace is another. What is mounted below it is not copied.
long op_borrow(struct child *child, const struct cinit_op *op) {
    long target = target_of(child, op), copy = -EBADF;
    if (target < 0) return target;
    child->call = CINIT_AT_OPEN;
    long own = sys(openat, AT_FDCWD, "/proc/self/ns/mnt", O_RDONLY | O_CLOEXEC);
    if (own < 0) return own;
    long root = sys(openat, AT_FDCWD, "/", O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (root >= 0) {
        child->call = CINIT_AT_CALL;
        copy = sys(setns, target, CLONE_NEWNS);
        if (!copy) {
            copy = copy_in_view(child, op);
            long error = sys(setns, own, CLONE_NEWNS);
            // The caller's root may not be that of the namespace.
            if (!error) error = sys(fchdir, root);
            if (!error) error = sys(chroot, ".");
            if (error) {
                child->call = CINIT_AT_CALL;
                if (copy >= 0) sys(close, copy);
                copy = error;
            }
        }
        sys(close, root);
    }
    sys(close, own);
    return fill(child, op->slot, copy);
}

/// Options: "sKEY\0VALUE\0" or "fFLAG\0" each, the list ends with an empty string.
static long configure(struct child *child, int fs, const char *option, unsigned command) {
    child->call = CINIT_AT_FSCONFIG;
    while (*option) {
        char kind = *option++;
        const char *key = option, *value = NULL;
        while (*option) option++;
        option++;
        if (kind == 's') {
            value = option;
            while (*option) option++;
            option++;
        }
        long error = sys(fsconfig, fs, value ? FSCONFIG_SET_STRING : FSCONFIG_SET_FLAG, key, value, 0);
        if (error) return error;
    }
    child->call = CINIT_AT_FSCREATE;
    return sys(fsconfig, fs, command, 0, 0, 0);
}

/// The kernel says in words what it did not like, one message a read.
static void read_words(struct child *child, int fs) {
    long count = sys(read, fs, child->text, sizeof child->text);
    child->text_size = count > 0 ? (uint32_t)count : 0;
}

long op_filesystem(struct child *child, const struct cinit_op *op) {
    child->call = CINIT_AT_FSOPEN;
    long fs = sys(fsopen, string_at(child, op->path), FSOPEN_CLOEXEC);
    if (fs < 0) return fs;
    long mount = configure(child, (int)fs, string_at(child, op->text), FSCONFIG_CMD_CREATE);
    if (!mount) {
        child->call = CINIT_AT_FSMOUNT;
        mount = sys(fsmount, fs, FSMOUNT_CLOEXEC, op->a);
    }
    if (mount < 0) read_words(child, (int)fs);
    sys(close, fs);
    return fill(child, op->slot, mount);
}

long op_mount(struct child *child, const struct cinit_op *op) {
    child->call = CINIT_AT_CALL;
    return sys(mount, "overlay", string_at(child, op->path), "overlay", op->a, string_at(child, op->text));
}

long op_attributes(struct child *child, const struct cinit_op *op) {
    child->call = CINIT_AT_SETATTR;
    return set_attributes(child->slots[op->slot], op->a, op->b, op->c, op->flags & CINIT_RECURSIVE);
}

long op_attach(struct child *child, const struct cinit_op *op) {
    int mount = child->slots[op->slot], directory = 1;
    if (op->flags & CINIT_MAKE_LIKE) {
        struct stat status;
        child->call = CINIT_AT_VERIFY;
        long error = sys(newfstatat, mount, "", &status, AT_EMPTY_PATH);
        if (error) return error;
        directory = S_ISDIR(status.st_mode);
    }
    long target;
    if (op->dir < 0) {
        child->call = CINIT_AT_OPEN;
        target = sys(openat, AT_FDCWD, string_at(child, op->path), O_PATH | O_CLOEXEC);
    } else {
        target = open_target(child, child->slots[op->dir], string_at(child, op->path), op->flags, directory);
    }
    if (target < 0) return target;
    if (op->flags & CINIT_NOT_PROC) {
        // A link of the image may lead a mount into procfs, where later writes would be redirected.
        struct statfs status;
        child->call = CINIT_AT_VERIFY;
        long error = sys(fstatfs, target, &status);
        if (error || status.f_type == PROC_MAGIC) {
            sys(close, target);
            return error ? error : -EPERM;
        }
    }
    child->call = CINIT_AT_MOVE;
    long error = move_to(mount, (int)target);
    sys(close, target);
    return error;
}

/// Opens what a mask or a read-only copy covers; a path that is not there needs none.
static long open_covered(struct child *child, const struct cinit_op *op) {
    long target = open_target(child, child->slots[op->dir], string_at(child, op->path), op->flags, 0);
    return target == -ENOTDIR ? -ENOENT : target;
}

long op_mask(struct child *child, const struct cinit_op *op) {
    long target = open_covered(child, op);
    if (target < 0) return target == -ENOENT ? 0 : target;
    struct stat status;
    child->call = CINIT_AT_VERIFY;
    long error = sys(newfstatat, target, "", &status, AT_EMPTY_PATH);
    if (!error) {
        int is_directory = S_ISDIR(status.st_mode);
        int source = child->slots[is_directory ? (int)op->a : op->slot];
        child->call = CINIT_AT_OPEN_TREE;
        long cover = is_directory && (op->flags & CINIT_ITSELF) ? sys(fcntl, source, F_DUPFD_CLOEXEC, 0)
                                                                : clone_tree(source, "", AT_EMPTY_PATH);
        error = cover < 0 ? cover : 0;
        if (!error) {
            child->call = CINIT_AT_MOVE;
            error = move_to((int)cover, (int)target);
            sys(close, cover);
        }
    }
    sys(close, target);
    return error;
}

long op_read_only(struct child *child, const struct cinit_op *op) {
    long target = open_covered(child, op);
    if (target < 0) return target == -ENOENT ? 0 : target;
    child->call = CINIT_AT_OPEN_TREE;
    long cover = clone_tree((int)target, "", AT_EMPTY_PATH | AT_RECURSIVE), error = cover < 0 ? cover : 0;
    if (!error) {
        child->call = CINIT_AT_SETATTR;
        error = set_attributes((int)cover, MOUNT_ATTR_RDONLY, 0, 0, 1);
        if (!error) {
            child->call = CINIT_AT_MOVE;
            error = move_to((int)cover, (int)target);
        }
        sys(close, cover);
    }
    sys(close, target);
    return error;
}

/// The file system that is mounted there gets other options (fspick(2)).
long op_reconfigure(struct child *child, const struct cinit_op *op) {
    long target = open_target(child, child->slots[op->dir], string_at(child, op->path), op->flags, 0);
    if (target < 0) return target;
    child->call = CINIT_AT_FSOPEN;
    long fs = sys(fspick, target, "", FSPICK_EMPTY_PATH | FSPICK_CLOEXEC);
    sys(close, target);
    if (fs < 0) return fs;
    long error = configure(child, (int)fs, string_at(child, op->text), FSCONFIG_CMD_RECONFIGURE);
    if (error) read_words(child, (int)fs);
    sys(close, fs);
    return error;
}

/// pivot_root(2), "pivot_root(".", ".")": the old root ends up on top of the new one and is taken off at once.
long op_pivot(struct child *child, const struct cinit_op *op) {
    child->call = CINIT_AT_OPEN;
    long error = sys(fchdir, child->slots[op->dir]);
    if (error) return error;
    child->call = CINIT_AT_CALL;
    error = sys(pivot_root, ".", ".");
    if (error) return error;
    child->call = CINIT_AT_UNMOUNT;
    error = sys(umount2, ".", UNMOUNT_DETACH);
    if (error) return error;
    child->call = CINIT_AT_OPEN;
    return sys(chdir, "/");
}

static long change_root(struct child *child, const char *directory) {
    child->call = CINIT_AT_CALL;
    long error = sys(chroot, directory);
    child->call = CINIT_AT_OPEN;
    return error ? error : sys(chdir, "/");
}

/// Behind the new root the host's own mounts would be there as proof that nothing is hidden from whoever mounts these
/// file systems in a user namespace of his own (mount_namespaces(7)).
static void drop_visible(void) {
    const char *const paths[] = {"/proc", "/sys"};
    for (int i = 0; i < 2; i++)
        for (int depth = 0; depth < 64 && !sys(umount2, paths[i], UNMOUNT_DETACH); depth++) {}
}

/// What can't be pivoted away from, an initramfs, is covered: the new root moves over the old one.
long op_move_root(struct child *child, const struct cinit_op *op) {
    child->call = CINIT_AT_OPEN;
    long error = sys(fchdir, child->slots[op->dir]);
    if (error) return error;
    long host = sys(openat, AT_FDCWD, "/", O_PATH | O_DIRECTORY | O_CLOEXEC, 0);
    if (host < 0) return host;
    drop_visible();
    child->call = CINIT_AT_MOVE;
    error = move_to(child->slots[op->dir], (int)host);
    sys(close, host);
    return error ? error : change_root(child, ".");
}

/// For a mount namespace in which others are: their root stays theirs.
long op_chroot(struct child *child, const struct cinit_op *op) {
    child->call = CINIT_AT_OPEN;
    long error = sys(fchdir, child->slots[op->dir]);
    return error ? error : change_root(child, ".");
}
