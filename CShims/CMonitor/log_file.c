// The files of a log: one that is appended to, and older ones with a number behind the name.
#define _GNU_SOURCE
#include "log.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { FILE_MODE = 0640, NUMBERED = CMON_LOG_NAME_MAX + 16 };

static int open_file(struct cmon_log *log, const char *name, int flags) {
    int file;
    do file = openat(log->directory, name, O_RDWR | O_APPEND | O_CREAT | O_CLOEXEC | O_NOFOLLOW | flags, FILE_MODE);
    while (file < 0 && errno == EINTR);
    return file < 0 ? -errno : file;
}

/// Ends an entry that a killed monitor left without its end: it must not swallow the next one.
static int end_torn(int file, off_t size) {
    char last = '\n';
    if (size > 0 && pread(file, &last, 1, size - 1) < 0) return -errno;
    if (last == '\n') return 0;
    ssize_t count = write(file, "\n", 1);
    return count == 1 ? 1 : count < 0 ? -errno : -EIO;
}

int cmon_log_file_open(struct cmon_log *log) {
    struct stat status;
    int file = open_file(log, log->name, 0), added;
    if (file < 0) return file;
    added = fstat(file, &status) < 0 ? -errno : end_torn(file, status.st_size);
    if (added < 0) {
        close(file);
        return added;
    }
    log->file = file;
    log->written = (uint64_t)status.st_size + (uint64_t)added;
    log->rotate_at = log->max_size > 0 ? log->max_size : UINT64_MAX;
    return 0;
}

static int fail(struct cmon_log *log, int error) {
    log->error = -error;
    log->failing = true;
    return error;
}

/// How much of an entry stands behind the last newline of what was written.
static uint32_t torn_after(const struct cmon_log *log, size_t count) {
    const char *newline = memrchr(log->buffer, '\n', count);
    return newline ? (uint32_t)(log->buffer + count - newline - 1) : log->torn + (uint32_t)count;
}

int cmon_log_file_write(struct cmon_log *log) {
    if (log->failing) return -log->error;
    if (log->file < 0) {
        int error = cmon_log_file_open(log);
        if (error < 0) return fail(log, error);
    }
    while (log->used > 0) {
        ssize_t count = write(log->file, log->buffer, log->used);
        if (count < 0 && errno == EINTR) continue;
        if (count <= 0) return fail(log, count < 0 ? -errno : -EIO);
        log->torn = torn_after(log, (size_t)count);
        log->written += (uint64_t)count;
        log->used -= (uint32_t)count;
        memmove(log->buffer, log->buffer + count, log->used);
    }
    return 0;
}

/// NAME, NAME.1 and so on; snprintf(3) of a string and a number takes no memory.
static void numbered(const struct cmon_log *log, uint32_t number, char to[NUMBERED]) {
    if (number == 0)
        memcpy(to, log->name, sizeof log->name);
    else
        snprintf(to, NUMBERED, "%s.%u", log->name, number);
}

/// Each file gets the next number, the oldest is replaced. A reader that opens from the newest on meets a file twice at
/// most, and never misses one.
static int shift_files(struct cmon_log *log) {
    char from[NUMBERED], to[NUMBERED];
    for (uint32_t i = log->max_files - 1; i >= 1; i--) {
        numbered(log, i - 1, from);
        numbered(log, i, to);
        if (renameat(log->directory, from, log->directory, to) < 0 && errno != ENOENT) return -errno;
    }
    return 0;
}

static int replace_file(struct cmon_log *log) {
    char fresh[NUMBERED];
    int file, error;
    snprintf(fresh, sizeof fresh, "%s.new", log->name);
    // Made before the others move: no disk space for it means that nothing changes.
    file = open_file(log, fresh, O_TRUNC);
    if (file < 0) return file;
    error = shift_files(log);
    if (error == 0 && renameat(log->directory, fresh, log->directory, log->name) < 0) error = -errno;
    if (error < 0) {
        close(file);
        unlinkat(log->directory, fresh, 0);
        return error;
    }
    close(log->file);
    log->file = file;
    return 0;
}

int cmon_log_file_rotate(struct cmon_log *log) {
    struct stat status;
    int error;
    // Somebody may have emptied the file by hand.
    if (fstat(log->file, &status) == 0 && (uint64_t)status.st_size < log->max_size) {
        log->written = (uint64_t)status.st_size;
        return 0;
    }
    error = replace_file(log);
    if (error < 0) {
        log->rotate_at = log->written + CMON_LOG_BATCH;  // tried again then
        return error;
    }
    log->written = 0;
    log->rotate_at = log->max_size;
    return 0;
}

int cmon_log_file_close(struct cmon_log *log) {
    struct stat status;
    int error = 0;
    if (log->file < 0) return 0;
    if (log->torn > 0 && fstat(log->file, &status) == 0 && status.st_size >= log->torn &&
        ftruncate(log->file, status.st_size - log->torn) < 0)
        error = -errno;
    if (close(log->file) < 0 && error == 0) error = -errno;
    log->file = -1;
    return error;
}
