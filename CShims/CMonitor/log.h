// A container's log in docker's json-file format: {"log":"text\n","stream":"stdout","time":"…"} a line.
#ifndef CMONITOR_LOG_H
#define CMONITOR_LOG_H

#include "CMonitor.h"

#include <stdbool.h>
#include <time.h>

enum {
    CMON_LOG_PART = 16 * 1024,   // longer lines are cut into entries of that many bytes, as docker does
    CMON_LOG_BATCH = 64 * 1024,  // the buffer is written when it holds as much
    CMON_LOG_FRAME = 128,        // what stands around text and attrs
    CMON_LOG_ENTRY_MAX = 6 * (CMON_LOG_PART + 1) + CMON_LOG_ATTRS_MAX + CMON_LOG_FRAME,
    CMON_LOG_BUFFER = CMON_LOG_BATCH + CMON_LOG_ENTRY_MAX,
};

/// The time of an entry as text; seconds that were spelled already are kept.
struct cmon_stamp {
    int64_t second;
    char text[32];
};

/// A line of one stream that has not ended yet.
struct cmon_line {
    uint32_t used;
    bool continued;           // entries were made of it already
    struct timespec started;  // its parts have one time
    uint8_t held[CMON_LOG_PART];
};

struct cmon_log {
    enum cmon_log_driver driver;
    int directory, file;
    uint32_t max_files;
    uint64_t max_size;
    uint64_t written;     // size of the newest file
    uint64_t rotate_at;   // the size from which the next entry goes into a new file
    uint64_t lost_lines;  // entries that found no room since the last notice
    uint64_t lost_bytes;
    int error;     // errno of the last failure
    bool failing;  // a write failed during this call: no second try before the next
    uint32_t torn;  // bytes of the first entry of the buffer that are in the file already
    uint32_t used;  // of the buffer
    const char *attrs;
    size_t attrs_size;
    struct cmon_stamp stamp;
    char name[CMON_LOG_NAME_MAX + 1];
    struct cmon_line lines[2];
    char buffer[CMON_LOG_BUFFER];
};

/// An entry to spell; `ended` puts the newline behind the text.
struct cmon_entry {
    int stream;
    struct timespec time;
    const uint8_t *text;
    size_t size;
    bool ended;
};

/// Spells an entry with its newline into `to`, which has room for cmon_entry_bound() bytes; returns the bytes.
size_t cmon_entry_spell(struct cmon_log *log, const struct cmon_entry *entry, char *to);
size_t cmon_entry_bound(const struct cmon_log *log, size_t text);
/// How much of a full part to take so that no character is cut in two.
size_t cmon_whole_characters(const uint8_t *text, size_t size);

int cmon_log_file_open(struct cmon_log *log);
/// Writes the buffer; what can't be written stays in it. 0 or -errno.
int cmon_log_file_write(struct cmon_log *log);
/// Begins a new file; the buffer must be empty. On failure the old one is gone on with.
int cmon_log_file_rotate(struct cmon_log *log);
int cmon_log_file_close(struct cmon_log *log);

#endif
