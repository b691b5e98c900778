// What a removed container has left, deleted while nobody waits for it.
#include "CLinux.h"
#include "monitor.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

enum {
    DEEPEST = 64,    // directories in each other, each with a descriptor and a batch; deeper ones stay
    BATCH = 4 << 10, // bytes of entries that are read at once
    ROUNDS = 100,    // looks at one directory: file systems may pass over entries while others go
};

/// A record of getdents64(2).
struct entry {
    uint64_t inode;
    int64_t offset;
    uint16_t size;
    uint8_t type;
    char name[];
};

static bool remove_tree(int directory, const char *name, dev_t device, int depth);

static bool remove_entry(int directory, const struct entry *entry, dev_t device, int depth) {
    if (entry->type != DT_DIR) {
        if (unlinkat(directory, entry->name, 0) == 0 || errno == ENOENT) return true;
        // Not every file system says what an entry is.
        if (entry->type != DT_UNKNOWN || errno != EISDIR) return false;
    }
    return remove_tree(directory, entry->name, device, depth);
}

/// One look at a directory. Returns how many of its entries have gone.
static long remove_entries(int directory, dev_t device, int depth) {
    _Alignas(struct entry) char bytes[BATCH];
    long count, gone = 0;
    if (lseek(directory, 0, SEEK_SET) != 0) return 0;
    while ((count = syscall(SYS_getdents64, directory, bytes, sizeof bytes)) > 0)
        for (long at = 0; at < count;) {
            const struct entry *entry = (const void *)(bytes + at);
            at += entry->size;
            if (strcmp(entry->name, ".") == 0 || strcmp(entry->name, "..") == 0) continue;
            if (remove_entry(directory, entry, device, depth)) gone++;
        }
    return gone;
}

/// Empties what is open as `inside`, and removes it by its name; false when something is left.
static bool remove_open(int inside, int directory, const char *name, dev_t device, int depth) {
    for (int round = 0; round < ROUNDS; round++) {
        long gone = remove_entries(inside, device, depth);
        if (unlinkat(directory, name, AT_REMOVEDIR) == 0 || errno == ENOENT) return true;
        if (gone == 0) return false;
    }
    return false;
}

/// What is mounted is somebody else's: a mount point is busy, and what becomes one now is not entered.
static bool remove_tree(int directory, const char *name, dev_t device, int depth) {
    if (unlinkat(directory, name, AT_REMOVEDIR) == 0 || errno == ENOENT) return true;
    if ((errno != ENOTEMPTY && errno != EEXIST) || depth == DEEPEST) return false;
    int inside = clinux_openat2(
        directory, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC, 0,
        RESOLVE_NO_XDEV | RESOLVE_NO_SYMLINKS | RESOLVE_BENEATH);
    if (inside < 0) return false;
    struct stat status;
    bool is_gone = fstat(inside, &status) == 0 && status.st_dev == device &&
                   remove_open(inside, directory, name, device, depth + 1);
    close(inside);
    return is_gone;
}

bool cmon_remove(int directory, const char *path) {
    struct stat status;
    return fstat(directory, &status) == 0 && remove_open(directory, AT_FDCWD, path, status.st_dev, 1);
}
