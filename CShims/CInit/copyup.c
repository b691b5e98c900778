// tmpcopyup: what the root has in a place becomes the first content of the file system that is mounted there.
#include "child.h"

#include <sys/stat.h>

enum { MAX_DEPTH = 64, CHUNK = 1 << 20 };

struct entry {
    uint64_t inode;
    int64_t offset;
    uint16_t size;
    uint8_t type;
    char name[];
};

static long copy_directory(struct child *child, int from, int to, int depth);

static long copy_content(struct child *child, int from, int to, const char *name) {
    child->call = CINIT_AT_OPEN;
    long in = open_in(from, name, O_RDONLY | O_NONBLOCK, RESOLVE_NO_SYMLINKS | RESOLVE_BENEATH);
    if (in < 0) return in;
    child->call = CINIT_AT_MAKE;
    long out = sys(openat, to, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600), count = 1;
    if (out < 0) {
        sys(close, in);
        return out;
    }
    child->call = CINIT_AT_WRITE;
    while (count > 0) count = sys(sendfile, out, in, 0, CHUNK);
    sys(close, in);
    sys(close, out);
    return count;
}

static long copy_link(struct child *child, int from, int to, const char *name) {
    char target[4096];
    child->call = CINIT_AT_OPEN;
    long count = sys(readlinkat, from, name, target, sizeof target - 1);
    if (count < 0) return count;
    target[count] = 0;
    child->call = CINIT_AT_MAKE;
    return sys(symlinkat, target, to, name);
}

static long copy_below(struct child *child, int from, int to, const char *name, int depth) {
    child->call = CINIT_AT_OPEN;
    long source = open_in(from, name, O_RDONLY | O_DIRECTORY, RESOLVE_NO_SYMLINKS | RESOLVE_BENEATH);
    if (source < 0) return source;
    child->call = CINIT_AT_MAKE;
    long error = sys(mkdirat, to, name, 0700), target = -1;
    if (!error) {
        target = open_in(to, name, O_RDONLY | O_DIRECTORY, RESOLVE_NO_SYMLINKS | RESOLVE_BENEATH);
        error = target < 0 ? target : copy_directory(child, (int)source, (int)target, depth + 1);
    }
    sys(close, source);
    if (target >= 0) sys(close, target);
    return error;
}

/// Owner first, since a change of it takes set-id bits away; times last.
static long copy_status(struct child *child, int to, const char *name, const struct stat *status) {
    struct timespec times[2] = {status->st_atim, status->st_mtim};
    child->call = CINIT_AT_OWNER;
    long error = sys(fchownat, to, name, status->st_uid, status->st_gid, AT_SYMLINK_NOFOLLOW);
    if (!error && !S_ISLNK(status->st_mode)) error = sys(fchmodat, to, name, status->st_mode & 07777);
    if (!error) error = sys(utimensat, to, name, times, AT_SYMLINK_NOFOLLOW);
    return error;
}

static long copy_entry(struct child *child, int from, int to, const char *name, int depth) {
    struct stat status;
    child->call = CINIT_AT_STAT;
    long error = sys(newfstatat, from, name, &status, AT_SYMLINK_NOFOLLOW);
    if (error) return error;
    switch (status.st_mode & S_IFMT) {
    case S_IFDIR: error = copy_below(child, from, to, name, depth); break;
    case S_IFREG: error = copy_content(child, from, to, name); break;
    case S_IFLNK: error = copy_link(child, from, to, name); break;
    default:
        child->call = CINIT_AT_MAKE;
        error = sys(mknodat, to, name, status.st_mode, status.st_rdev);
    }
    return error ? error : copy_status(child, to, name, &status);
}

static int is_own(const char *name) { return name[0] == '.' && (!name[1] || (name[1] == '.' && !name[2])); }

static long copy_directory(struct child *child, int from, int to, int depth) {
    _Alignas(8) char buffer[2048];
    if (depth > MAX_DEPTH) return -ELOOP;
    while (1) {
        child->call = CINIT_AT_OPEN;
        long size = sys(getdents64, from, buffer, sizeof buffer);
        if (size <= 0) return size;
        for (long at = 0; at < size;) {
            const struct entry *entry = (const void *)(buffer + at);
            at += entry->size;
            long error = is_own(entry->name) ? 0 : copy_entry(child, from, to, entry->name, depth);
            if (error) return error;
        }
    }
}

/// Nothing is there to copy where the root has no such directory. Its owner, mode and times become those of the mount.
long op_copy_up(struct child *child, const struct cinit_op *op) {
    child->call = CINIT_AT_OPEN;
    long from = open_in(child->slots[op->dir], string_at(child, op->path), O_RDONLY | O_DIRECTORY,
                        RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS);
    if (from < 0) return from == -ENOENT || from == -ENOTDIR ? 0 : from;
    long to = sys(openat, child->slots[op->slot], ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC, 0);
    struct stat status;
    long error = to < 0 ? to : copy_directory(child, (int)from, (int)to, 0);
    if (!error) error = sys(fstat, from, &status);
    // The spec's own mode is for a mount that begins empty.
    if (!error) error = copy_status(child, (int)to, ".", &status);
    sys(close, from);
    if (to >= 0) sys(close, to);
    return error;
}
