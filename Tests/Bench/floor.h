// What the floor's two files share.
#pragma once
#include <sys/types.h>

#define MAX_HIERARCHIES 16

// A container's control groups: one in each hierarchy of v1 that is mounted, or one of v2 where there is none.
struct cgroups {
    int count;                          // of v1's
    char *directories[MAX_HIERARCHIES]; // v1's, or in [0] v2's
    int unified;                        // a descriptor of v2's, into which a child is cloned; -1 where v1's are used
};

// Says what failed with errno's meaning, and exits with 125.
void fail(const char *format, ...) __attribute__((format(printf, 1, 2), noreturn));

void make_cgroups(struct cgroups *groups, const char *name);
// Those that the process `pid` is in.
void find_cgroups(struct cgroups *groups, pid_t pid);
// Takes the caller, a process of one thread, into v1's; into v2's a child is cloned.
void join_cgroups(const struct cgroups *groups);
void remove_cgroups(const struct cgroups *groups);
