// Mounts that the caller copies, who has the rights that this takes, and that the child inherits; where asked for, with
// other owners of the files than on the disk (mount_setattr(2), MOUNT_ATTR_IDMAP).
#define _GNU_SOURCE
#include "CInit.h"
#include "clone.h"
#include "syscalls.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/mount.h>
#include <linux/sched.h>
#include <linux/wait.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

static int write_map(long pid, const char *name, const char *text) {
    char path[64];
    snprintf(path, sizeof path, "/proc/%ld/%s", pid, name);
    int file = open(path, O_WRONLY | O_CLOEXEC);
    if (file < 0) return -errno;
    ssize_t count = write(file, text, strlen(text));
    int error = count < 0 ? -errno : 0;
    close(file);
    return error;
}

static int open_namespace(long pid, const char *uid_map, const char *gid_map) {
    char path[64];
    int error = write_map(pid, "uid_map", uid_map);
    if (!error) error = write_map(pid, "gid_map", gid_map);
    if (error) return error;
    snprintf(path, sizeof path, "/proc/%ld/ns/user", pid);
    int file = open(path, O_RDONLY | O_CLOEXEC);
    return file < 0 ? -errno : file;
}

int cinit_user_namespace(const char *uid_map, const char *gid_map) {
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    struct clone_args call = {.flags = CLONE_NEWUSER, .exit_signal = SIGCHLD};
    long pid = start_process(&call);
    if (pid == 0) {
        // It is there to be looked at, until it is killed.
        sys(prctl, PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
        while (1) sys(ppoll, 0, 0, 0, 0, 0);
    }
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (pid < 0) return (int)pid;
    int result = open_namespace(pid, uid_map, gid_map);
    // Not by the end of a pipe: a process that another thread makes meanwhile would hold that open.
    sys(kill, pid, SIGKILL);
    long ended;
    do ended = sys(wait4, pid, 0, __WALL, 0);
    while (ended == -EINTR);
    return result;
}

int cinit_copy_mount(const char *source, int recursive, int maps_below, int namespace) {
    unsigned below = recursive ? AT_RECURSIVE : 0;
    long copy = sys(open_tree, AT_FDCWD, source, OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | below);
    if (copy < 0) return (int)copy;
    struct mount_attr attributes = {.attr_set = MOUNT_ATTR_IDMAP, .userns_fd = (uint64_t)namespace};
    long error = namespace < 0 ? 0 : sys(mount_setattr, copy, "", AT_EMPTY_PATH | (maps_below ? AT_RECURSIVE : 0), &attributes,
                     sizeof attributes);
    // The lowest numbers are laid out anew in the child.
    long kept = error ? error : sys(fcntl, copy, F_DUPFD_CLOEXEC, 10);
    sys(close, copy);
    return (int)kept;
}
