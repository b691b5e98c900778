// A process between the caller and the child, for what a process must have joined before its child is made: namespaces
// that would be out of reach from a user namespace, and offsets of clocks, which nobody can set once the child is there
// (time_namespaces(7)).
#define _GNU_SOURCE
#include "CInit.h"
#include "clone.h"
#include "interpret.h"
#include "syscalls.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/sched.h>
#include <linux/wait.h>
#include <sched.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>

static void __attribute__((noreturn)) leave(void) {
    sys(exit_group, 0);
    __builtin_trap();
}

static long set_clocks(const char *offsets) {
    long error = sys(unshare, CLONE_NEWTIME);
    if (error) return error;
    long file = sys(openat, AT_FDCWD, "/proc/self/timens_offsets", O_WRONLY | O_CLOEXEC, 0), size = 0;
    if (file < 0) return file;
    while (offsets[size]) size++;
    long count = sys(write, file, offsets, size);
    sys(close, file);
    return count < 0 ? count : count == size ? 0 : -EIO;
}

/// The user namespace comes last, while the rights that lead into the others are still there. What those do not reach may
/// belong to the user namespace itself, so it is tried again behind it.
static long join_all(const struct cinit_start_arguments *arguments) {
    unsigned later = 0;
    for (int round = 0; round < 3; round++) {
        for (int i = 0; i < arguments->joined_count; i++) {
            int is_user = arguments->joined_kinds[i] == CLONE_NEWUSER;
            if (round == 2 ? !(later >> i & 1) : is_user != (round == 1)) continue;
            arguments->between->stage = i;
            if (is_user) drop_groups();
            long error = sys(setns, arguments->joined[i], arguments->joined_kinds[i]);
            if (error == -EPERM && round == 0) later |= 1u << i;
            else if (error) return error;
        }
    }
    return 0;
}

/// The child is our sibling; with CLONE_PARENT it gets our signal of the end.
static void __attribute__((noreturn)) make_child(
    void *plan, const struct cinit_start_arguments *arguments, const struct clone_args *call) {
    struct cinit_between *between = arguments->between;
    struct clone_args sibling = *call;
    sibling.flags |= CLONE_PARENT;
    sibling.exit_signal = 0;
    sibling.pidfd = (uintptr_t)&between->pidfd;
    sys(prctl, PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
    between->stage = CINIT_STAGE_CLOCKS;
    long result = arguments->time_offsets ? set_clocks(arguments->time_offsets) : 0;
    // What is in the namespaces that are joined is not to look into a copy of the caller's memory.
    if (!result) result = sys(prctl, PR_SET_DUMPABLE, 0, 0, 0, 0);
    if (!result) result = join_all(arguments);
    if (!result) {
        between->stage = CINIT_STAGE_CLONE;
        result = start_process(&sibling);
        if (result == 0) cinit_interpret(plan, arguments);
    }
    between->pid = (int)result;
    leave();
}

long clone_beyond(void *plan, const struct cinit_start_arguments *arguments, struct clone_args *call) {
    struct cinit_between *between = arguments->between;
    // One table of descriptors: the pidfd that it gets is ours. The memory is not shared, since who joins a time namespace
    // must have its own.
    struct clone_args fork = {.flags = CLONE_FILES, .exit_signal = SIGCHLD};
    between->pid = -ESRCH;
    between->pidfd = -1;
    between->stage = CINIT_STAGE_CLONE;
    long helper = start_process(&fork);
    if (helper == 0) make_child(plan, arguments, call);
    if (helper < 0) return helper;
    long ended;
    do ended = sys(wait4, helper, 0, __WALL, 0);
    while (ended == -EINTR);
    *(int *)(uintptr_t)call->pidfd = between->pidfd;
    return between->pid;
}

struct cinit_between *cinit_make_between(void) {
    void *page = mmap(NULL, sizeof(struct cinit_between), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    return page == MAP_FAILED ? NULL : page;
}

void cinit_drop_between(struct cinit_between *between) { munmap(between, sizeof *between); }
