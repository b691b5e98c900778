// What a container writes becomes entries in a buffer, and the buffer goes to the file. Nothing here waits for anything:
// while the file can't be written the buffer fills, then entries are counted instead of kept.
#define _GNU_SOURCE
#include "log.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

enum { NOTICE_MAX = 256 };

size_t cmon_log_size(void) { return sizeof(struct cmon_log); }

static bool is_off(const struct cmon_log *log) { return log->driver == CMON_LOG_NONE; }

static int check(const struct cmon_log_options *options) {
    if (strlen(options->name) > CMON_LOG_NAME_MAX) return -ENAMETOOLONG;
    if (options->max_files > CMON_LOG_FILES_MAX) return -EINVAL;
    return options->attrs && strlen(options->attrs) > CMON_LOG_ATTRS_MAX ? -E2BIG : 0;
}

int cmon_log_open(struct cmon_log *log, const struct cmon_log_options *options) {
    int error;
    // The buffers are not touched: their pages are not to be had before they are needed.
    memset(log, 0, offsetof(struct cmon_log, lines));
    for (int i = 0; i < 2; i++) memset(&log->lines[i], 0, offsetof(struct cmon_line, held));
    if (options->driver == CMON_LOG_NONE) return 0;
    error = check(options);
    if (error < 0) return error;
    log->driver = options->driver;
    log->directory = options->directory;
    log->file = -1;
    log->rotate_at = UINT64_MAX;
    log->stamp.second = -1;
    memcpy(log->name, options->name, strlen(options->name) + 1);
    log->max_size = options->max_size;
    log->max_files = options->max_files > 0 ? options->max_files : 1;
    log->attrs = options->attrs;
    log->attrs_size = options->attrs ? strlen(options->attrs) : 0;
    return cmon_log_file_open(log);
}

/// Says in the log itself what is missing at this place.
static void add_notice(struct cmon_log *log) {
    char text[NOTICE_MAX];
    const char *why = strerrordesc_np(log->error);
    struct cmon_entry entry = {.stream = 2, .text = (const uint8_t *)text, .ended = true};
    entry.size = (size_t)snprintf(text, sizeof text, "runimg: %llu %s (%llu bytes) of the log lost here: %s",
                                  (unsigned long long)log->lost_lines, log->lost_lines == 1 ? "line" : "lines",
                                  (unsigned long long)log->lost_bytes, why ? why : "write failed");
    if (entry.size >= sizeof text) entry.size = sizeof text - 1;
    clock_gettime(CLOCK_REALTIME, &entry.time);
    log->used += (uint32_t)cmon_entry_spell(log, &entry, log->buffer + log->used);
    log->lost_lines = log->lost_bytes = 0;
}

/// Whether the next entry may stand behind what the buffer holds; begins a new file when that is due.
static bool is_placed(struct cmon_log *log) {
    if (log->written + log->used < log->rotate_at) return true;
    // A file ends with a whole entry, so the buffer has to go first.
    if (cmon_log_file_write(log) < 0) return false;
    cmon_log_file_rotate(log);
    return true;
}

static void add_entry(struct cmon_log *log, const struct cmon_entry *entry) {
    size_t bound = cmon_entry_bound(log, entry->size);
    if (log->lost_lines > 0) bound += cmon_entry_bound(log, NOTICE_MAX);
    if (!is_placed(log) || log->used + bound > sizeof log->buffer) {
        log->lost_lines++;
        log->lost_bytes += entry->size + entry->ended;
        return;
    }
    if (log->lost_lines > 0) add_notice(log);
    log->used += (uint32_t)cmon_entry_spell(log, entry, log->buffer + log->used);
    if (log->used >= CMON_LOG_BATCH) cmon_log_file_write(log);
}

static void add_part(struct cmon_log *log, int stream, const uint8_t *text, size_t size, bool ended) {
    struct cmon_line *line = &log->lines[stream - 1];
    struct cmon_entry entry = {.stream = stream, .text = text, .size = size, .ended = ended};
    if (!line->continued) clock_gettime(CLOCK_REALTIME, &line->started);
    entry.time = line->started;
    line->continued = !ended;
    add_entry(log, &entry);
}

static void hold(struct cmon_line *line, const uint8_t *bytes, size_t size) {
    memcpy(line->held + line->used, bytes, size);
    line->used += (uint32_t)size;
}

/// Takes a line, or as much of one as makes a full part, or all there is; returns the bytes taken.
static size_t take_line(struct cmon_log *log, int stream, const uint8_t *bytes, size_t size) {
    struct cmon_line *line = &log->lines[stream - 1];
    size_t room = CMON_LOG_PART - line->used, cut;
    const uint8_t *newline = memchr(bytes, '\n', size < room ? size : room);
    if (newline) {
        size_t length = (size_t)(newline - bytes);
        if (line->used == 0) {
            add_part(log, stream, bytes, length, true);
        } else {
            hold(line, bytes, length);
            add_part(log, stream, line->held, line->used, true);
            line->used = 0;
        }
        return length + 1;
    }
    if (size >= room && line->used == 0) {
        cut = cmon_whole_characters(bytes, room);
        add_part(log, stream, bytes, cut, false);
        return cut;
    }
    hold(line, bytes, size < room ? size : room);
    if (size < room) return size;
    cut = cmon_whole_characters(line->held, line->used);
    add_part(log, stream, line->held, cut, false);
    line->used -= (uint32_t)cut;
    memmove(line->held, line->held + cut, line->used);
    return room;
}

int cmon_log_write(struct cmon_log *log, int stream, const void *bytes, size_t size) {
    const uint8_t *at = bytes;
    if (is_off(log)) return 0;
    if (stream != 1 && stream != 2) return -EINVAL;
    log->failing = false;
    while (size > 0) {
        size_t taken = take_line(log, stream, at, size);
        at += taken;
        size -= taken;
    }
    return log->failing ? -log->error : 0;
}

bool cmon_log_is_behind(const struct cmon_log *log) { return log->used > 0 || log->lost_lines > 0; }

int cmon_log_flush(struct cmon_log *log) {
    int error;
    if (is_off(log)) return 0;
    log->failing = false;
    error = cmon_log_file_write(log);
    if (error == 0 && log->lost_lines > 0) {
        add_notice(log);
        error = cmon_log_file_write(log);
    }
    return error;
}

int cmon_log_end_stream(struct cmon_log *log, int stream) {
    struct cmon_line *line;
    if (is_off(log)) return 0;
    if (stream != 1 && stream != 2) return -EINVAL;
    line = &log->lines[stream - 1];
    log->failing = false;
    if (line->used > 0) add_part(log, stream, line->held, line->used, false);
    line->used = 0;
    line->continued = false;
    return log->failing ? -log->error : 0;
}

int cmon_log_end(struct cmon_log *log) {
    int error, closed;
    if (is_off(log)) return 0;
    cmon_log_end_stream(log, 1);
    cmon_log_end_stream(log, 2);
    error = cmon_log_flush(log);
    closed = cmon_log_file_close(log);
    return error < 0 ? error : closed;
}
