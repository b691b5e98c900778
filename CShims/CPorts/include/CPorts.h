// The process that holds the published ports of a container for as long as that runs, and passes on what arrives at them.
#ifndef CPORTS_H
#define CPORTS_H

#include <stdint.h>

/// Its argv[0], by which the executable becomes one before Swift starts; what follows is the container's ID, for whoever
/// reads ps(1).
#define CPORTS_NAME "runimg-ports"

/// The descriptors that it starts with. From CPORTS_SOCKETS on they are the sockets, in the order of the targets.
enum cports_descriptor {
    CPORTS_READY = 3,      // a pipe: struct cports_answer is written to it
    CPORTS_PIDFD = 4,      // of the container's first process
    CPORTS_CONFIG = 5,     // a file: struct cports_config and its targets
    CPORTS_NAMESPACE = 6,  // the network namespace that it connects from, with CPORTS_JOINS
    CPORTS_SOCKETS = 7
};

enum cports_transport {
    CPORTS_TCP,
    CPORTS_UDP,
    CPORTS_HELD  // bound, so that nobody else is; never read
};

enum cports_flag { CPORTS_JOINS = 1 };

/// More are refused by who starts it.
enum { CPORTS_MAX_SOCKETS = 16384 };

struct cports_config {
    uint32_t flags;
    uint32_t count;  // of struct cports_target, which follow
};

/// Where what arrives at one socket goes.
struct cports_target {
    uint32_t transport;   // enum cports_transport
    uint16_t is_version6;
    uint16_t port;
    uint8_t address[16];  // in network order; of version 4 the first four
};

/// What stopped it, or that it serves.
enum cports_stage {
    CPORTS_SERVES, CPORTS_READING, CPORTS_LIMITING, CPORTS_JOINING, CPORTS_DROPPING, CPORTS_POLLING
};

struct cports_answer {
    uint32_t stage;  // enum cports_stage
    int32_t error;   // errno
};

#endif
