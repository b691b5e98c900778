// The process that looks after a container when no command of ours runs any more. It has one thread and no heap.
#ifndef CMONITOR_H
#define CMONITOR_H

#include "CMonitorProtocol.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum cmon_log_driver {
    CMON_LOG_NONE,
    CMON_LOG_JSON_FILE,
    CMON_LOG_LOCAL,  // the same file; only the caps differ, and these the caller gives
};

enum {
    CMON_LOG_NAME_MAX = 200,
    CMON_LOG_ATTRS_MAX = 32 * 1024,
    CMON_LOG_FILES_MAX = 1000,
};

struct cmon_log_options {
    enum cmon_log_driver driver;
    int directory;       // must stay open as long as the log
    const char *name;    // of the newest file; older ones are NAME.1, NAME.2 …
    uint64_t max_size;   // bytes after which a new file is begun; 0: never
    uint32_t max_files;  // the newest included; 0 is taken for 1
    const char *attrs;   // a JSON object for each entry's "attrs", or NULL; must stay as long as the log
};

/// Fixed in size, zeroed or not before cmon_log_open; large, so better static than on a stack.
struct cmon_log;
size_t cmon_log_size(void);

/// Opens or continues a container's log. -ENAMETOOLONG, -E2BIG (attrs), -EINVAL (files): there is no log. What openat(2)
/// says: the log gathers, and opens the file when that is possible.
int cmon_log_open(struct cmon_log *log, const struct cmon_log_options *options);

/// Takes what a container wrote on `stream` (1 or 2). All bytes are taken, whatever is returned: -errno says that the
/// file can't be written at the moment. What then finds no room in the buffer is counted, and the log says so as soon
/// as it can be written again.
int cmon_log_write(struct cmon_log *log, int stream, const void *bytes, size_t size);

/// Writes what is buffered; to be called when nothing more is to be read for now. 0 or -errno, as cmon_log_write.
int cmon_log_flush(struct cmon_log *log);

/// Whether a flush failed: it is to be called again after a while, not only after the next output.
bool cmon_log_is_behind(const struct cmon_log *log);

/// The end of one stream: what stands there without a newline becomes an entry.
int cmon_log_end_stream(struct cmon_log *log, int stream);

/// Ends both streams, flushes, closes. On -errno the file ends with a whole entry, and later ones are lost.
int cmon_log_end(struct cmon_log *log);

/// Deletes a directory, open as `directory` and called `path`, with all below it: no link is followed, no mount entered,
/// no heap used. False when something is left: what can't be deleted, or lies very deep.
bool cmon_remove(int directory, const char *path);

#endif
