// The user and mount namespace in which an ordinary user's commands work, and the process that holds it open.
#ifndef CUSERNAMESPACE_H
#define CUSERNAMESPACE_H

#include <stdint.h>
#include <sys/types.h>

/// The keeper's argv[0], by which the executable becomes one before Swift starts.
#define CUSERNS_KEEPER_NAME "runimg-keeper"

enum cuserns_stage {
    CUSERNS_FORK = 1,
    CUSERNS_UNSHARE,
    CUSERNS_USERS,   // newuidmap, or the map of the one id
    CUSERNS_GROUPS,  // newgidmap
    CUSERNS_MOUNTS,  // the first use of the new rights
};

struct cuserns_failure {
    int32_t stage;
    int32_t error;    // errno, or 0 where a tool has failed by itself
    char text[512];   // what the tool said
};

/// The effective user that the program was started as, without a system call (getauxval(3), AT_EUID).
uint32_t cuserns_started_as(void);

/// Tries in a process of its own what `cuserns_create` does, with the caller's own ids: 0, or -1 with what failed, and
/// nothing of the caller changed. Needs no single thread.
int cuserns_try(struct cuserns_failure *failure);

/// Moves the calling process, which must have one thread, into a new user namespace and a mount namespace below it. The
/// tools are the argument lists of newuidmap(1) and newgidmap(1) for this process; without them the caller's own ids
/// become 0 and are the only ones. 0, or -1 with what failed.
int cuserns_create(char *const *user_tool, char *const *group_tool, struct cuserns_failure *failure);

/// Enters both namespaces (setns(2)) with one thread. -1 with errno.
int cuserns_join(int user, int mounts);

/// A mount namespace of its own for a process that is in the user namespace. -1 with errno.
int cuserns_unshare_mounts(void);

/// Starts the keeper, a process of this executable in the caller's namespaces: it waits until nobody else holds the lock
/// of the file `lock` (flock(2)), empties the file `state`, and ends. It is nobody's child to wait for. Returns its pid,
/// or -1 with errno.
pid_t cuserns_start_keeper(int lock, int state);

#endif
