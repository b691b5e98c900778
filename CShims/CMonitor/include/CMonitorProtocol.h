// What a container's monitor and the commands that talk to it say to each other, over SOCK_SEQPACKET: a byte that tells
// the kind, then the kind's own bytes, in the machine's byte order.
#ifndef CMONITOR_PROTOCOL_H
#define CMONITOR_PROTOCOL_H

#include <stddef.h>
#include <stdint.h>

/// argv[0] that makes the executable a monitor; what follows is the container's ID, for whoever reads ps(1).
#define CMON_NAME "runimg-monitor"

/// The descriptors that a monitor starts with.
enum cmon_descriptor { CMON_CONTROL = 3, CMON_PIDFD = 4, CMON_LOCK = 5, CMON_KEPT = 6 };

enum cmon_message {
    // To the monitor.
    CMON_GO = 'G',         // struct cmon_go and its strings, with descriptors: by who started the container
    CMON_SUBSCRIBE = 'S',  // a byte of enum cmon_wish: the first thing that any other client says
    CMON_INPUT = 'I',      // bytes for the container
    CMON_INPUT_END = 'E',
    CMON_BROKEN = 'B',     // a byte, 1 or 2: nobody reads what the starter passes on of this stream
    CMON_HANG_UP = 'H',    // the window of who started the container is closed: so is the container's terminal
    CMON_RESIZE = 'R',     // two uint16: rows, columns
    // int32: the exit code that the end was recorded with. Then, with a descriptor of that directory, which holds its lock,
    // the NUL-ended path of what is to be deleted when nobody waits any more.
    CMON_CONCLUDED = 'D',
    CMON_KEEP = 'K',       // with a descriptor, after CMON_ENDED: what takes the kernel time to close
    // From the monitor.
    CMON_SERVING = 'A',
    CMON_OUTPUT = 'O',     // bytes of the container's standard output, or of its terminal
    CMON_ERROR = 'X',
    CMON_ENDED = 'T',      // int32: how the process ended, as wait(2) has it; to who started the container
    CMON_RECORDED = 'F'    // int32: the exit code; the end is recorded, what was to be undone is undone
};

enum cmon_wish { CMON_WANTS_OUTPUT = 1, CMON_WANTS_INPUT = 2 };

enum cmon_flag {
    CMON_TERMINAL = 1,
    CMON_HAS_INPUT = 2,
    /// Standard input ends with the client that started the container.
    CMON_INPUT_ONCE = 4,
    /// Who started the container stays, and gets its output.
    CMON_ATTACHED = 8,
    /// Who started the container records its end while it is there.
    CMON_STARTER_CONCLUDES = 16,
    /// The process that the monitor made has been followed by another child of the monitor's, which is passed: in the pid
    /// namespace of another container.
    CMON_SUCCESSOR = 32,
    /// The container's other processes don't end with its first: it is not process 1 of a pid namespace of its own.
    CMON_SHARES_PIDS = 64
};

enum cmon_passed {
    CMON_PASSED_OUTPUT,
    CMON_PASSED_ERROR,
    CMON_PASSED_INPUT,
    CMON_PASSED_LISTENER,
    CMON_PASSED_LOG,
    CMON_PASSED_PROCESS,  // with CMON_SUCCESSOR: a pidfd
    CMON_PASSED_TASKS,    // with CMON_SHARES_PIDS: cgroup.procs of the container's cgroup
    CMON_PASSED_COUNT
};

enum { CMON_MAX_DATA = 32 << 10, CMON_MAX_GO = 128 << 10, CMON_MAX_ARGUMENTS = 24, CMON_MAX_CLIENTS = 64 };

struct cmon_go {
    uint32_t flags;
    uint32_t log_driver;   // enum cmon_log_driver
    uint64_t log_size;     // bytes until a log file is rotated, 0: never
    uint32_t log_files;
    uint32_t health_delay; // milliseconds until the first check, 0: none
    uint32_t end_count;    // strings of the command line that records the end
    uint32_t health_count; // strings of the one that checks health and prints the milliseconds until the next check
    // Then NUL-ended strings: the log file's name, the log's attributes, the two command lines.
};

/// Variables of the environment that the command recording the end is given.
#define CMON_ENV_STATUS "RUNIMG_MONITOR_STATUS"    // as CMON_ENDED
#define CMON_ENV_CLIENTS "RUNIMG_MONITOR_CLIENTS"  // descriptors of clients, with commas
#define CMON_ENV_LISTENER "RUNIMG_MONITOR_LISTENER"

#endif
