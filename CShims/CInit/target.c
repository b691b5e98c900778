// Finding a place in a tree that the image made: by descriptor, never leaving the root (openat2(2) RESOLVE_IN_ROOT).
#include "child.h"

#include <limits.h>
#include <sys/stat.h>

enum { MAX_LINKS = 40, MAX_RETRIES = 64 };

long open_in(int root, const char *path, uint64_t flags, uint64_t resolve) {
    struct open_how how = {.flags = flags | O_CLOEXEC, .resolve = resolve};
    long fd = -EAGAIN;
    for (int i = 0; i < MAX_RETRIES && (fd == -EAGAIN || fd == -EINTR); i++)
        fd = sys(openat2, root, path, &how, sizeof how);
    return fd;
}

struct walk {
    char path[PATH_MAX];
    size_t known;  // bytes of `path` that name an existing directory
    int links;
};

static size_t length(const char *text) {
    size_t n = 0;
    while (text[n]) n++;
    return n;
}

static long append(char *to, size_t *size, const char *from, size_t count) {
    if (*size + count + 1 > PATH_MAX) return -ENAMETOOLONG;
    for (size_t i = 0; i < count; i++) to[(*size)++] = from[i];
    to[*size] = 0;
    return 0;
}

/// The part at start..end is a link to nowhere: goes on with what it says in its place, still inside the root.
static long splice_link(struct walk *walk, int parent, size_t start, size_t end) {
    char target[PATH_MAX], part[NAME_MAX + 1], joined[PATH_MAX];
    size_t size = 0;
    if (end - start > NAME_MAX) return -ENAMETOOLONG;
    for (size_t i = start; i < end; i++) part[i - start] = walk->path[i];
    part[end - start] = 0;
    long count = sys(readlinkat, parent, part, target, sizeof target);
    if (++walk->links > MAX_LINKS) return -ELOOP;
    if (count == -EINVAL) return 0;  // no link: someone else made it meanwhile
    if (count < 0) return count;
    size_t kept = target[0] == '/' ? 0 : walk->known;
    long error = append(joined, &size, walk->path, kept);
    if (!error) error = append(joined, &size, "/", 1);
    if (!error) error = append(joined, &size, target, (size_t)count);
    if (!error) error = append(joined, &size, walk->path + end, length(walk->path + end));
    if (error) return error;
    for (size_t i = 0; i <= size; i++) walk->path[i] = joined[i];
    walk->known = kept;
    return 0;
}

/// Makes the missing part at start..end in its opened parent. mkdirat and mknodat never follow a link in last place.
static long make_part(struct walk *walk, int root, size_t start, size_t end, int directory, uint64_t resolve) {
    char saved = walk->path[start];
    walk->path[start] = 0;
    long parent = open_in(root, start ? walk->path : ".", O_PATH | O_DIRECTORY, resolve);
    walk->path[start] = saved;
    if (parent < 0) return parent;
    char after = walk->path[end];
    walk->path[end] = 0;
    const char *name = walk->path + start;
    long error = directory ? sys(mkdirat, parent, name, 0755) : sys(mknodat, parent, name, S_IFREG | 0755, 0);
    walk->path[end] = after;
    if (error == -EEXIST)
        error = resolve & RESOLVE_NO_SYMLINKS ? -ELOOP : splice_link(walk, (int)parent, start, end);
    else if (!error)
        walk->known = end;
    sys(close, parent);
    return error;
}

/// Bytes up to the last part, when what is before it exists: mostly only the last part is missing.
static size_t known_parent(struct walk *walk, int root, size_t size, uint64_t resolve) {
    while (size && walk->path[size - 1] == '/') size--;
    while (size && walk->path[size - 1] != '/') size--;
    if (!size) return 0;
    char after = walk->path[size];
    walk->path[size] = 0;
    long fd = open_in(root, walk->path, O_PATH | O_DIRECTORY, resolve);
    walk->path[size] = after;
    if (fd < 0) return 0;
    sys(close, fd);
    return size;
}

static long make_missing(int root, const char *path, int directory, uint64_t resolve) {
    struct walk walk;
    size_t size = 0;
    walk.links = 0;
    long error = append(walk.path, &size, path, length(path));
    if (!error) walk.known = known_parent(&walk, root, size, resolve);
    while (!error) {
        size_t start = walk.known;
        while (walk.path[start] == '/') start++;
        if (!walk.path[start]) return 0;
        size_t end = start, next;
        while (walk.path[end] && walk.path[end] != '/') end++;
        for (next = end; walk.path[next] == '/'; next++) {}
        char after = walk.path[end];
        walk.path[end] = 0;
        long fd = open_in(root, walk.path, O_PATH, resolve);
        walk.path[end] = after;
        if (fd >= 0) {
            sys(close, fd);
            walk.known = end;
        } else if (fd == -ENOENT) {
            error = make_part(&walk, root, start, end, directory || walk.path[next], resolve);
        } else {
            error = fd;
        }
    }
    return error;
}

/// An O_PATH descriptor of `path` below `root`, made first where the flags say so.
long open_target(struct child *child, int root, const char *path, unsigned flags, int directory) {
    uint64_t resolve = RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS;
    if (flags & CINIT_NO_LINKS) resolve |= RESOLVE_NO_SYMLINKS;
    if (flags & CINIT_SAME_MOUNT) resolve |= RESOLVE_NO_XDEV;
    uint64_t how = O_PATH | (flags & CINIT_DIRECTORY ? O_DIRECTORY : 0);
    child->call = CINIT_AT_OPEN;
    if (!path[0]) path = ".";
    long fd = open_in(root, path, how, resolve);
    if (fd != -ENOENT || !(flags & (CINIT_MAKE_DIRECTORY | CINIT_MAKE_LIKE))) return fd;
    child->call = CINIT_AT_MAKE;
    long error = make_missing(root, path, directory, resolve);
    if (error) return error;
    child->call = CINIT_AT_OPEN;
    return open_in(root, path, how, resolve);
}
