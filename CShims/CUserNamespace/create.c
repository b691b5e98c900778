// Making and joining a user namespace (user_namespaces(7)).
#define _GNU_SOURCE
#include "CUserNamespace.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/mount.h>
#include <sys/wait.h>
#include <unistd.h>

uint32_t cuserns_started_as(void) { return (uint32_t)getauxval(AT_EUID); }

static int fail(struct cuserns_failure *failure, int stage, int error) {
    failure->stage = stage;
    failure->error = error;
    return -1;
}

static int run_tool(char *const *arguments) {
    pid_t pid = fork();
    if (pid == 0) {
        execv(arguments[0], arguments);
        dprintf(2, "%s: %s", arguments[0], strerror(errno));
        _exit(127);
    }
    int status = -1;
    while (pid > 0 && waitpid(pid, &status, 0) < 0)
        if (errno != EINTR) return -1;
    return status;
}

/// Stays outside, where the tools' set-user-ID bits count, and gives the caller its ids once that has its namespace.
static void give_ids(int go, int words, char *const *user_tool, char *const *group_tool) {
    char byte;
    ssize_t count;
    do count = read(go, &byte, 1);
    while (count < 0 && errno == EINTR);
    if (count != 1) _exit(0);
    dup2(words, 1);
    dup2(words, 2);
    if (run_tool(user_tool) != 0) _exit(CUSERNS_USERS);
    if (run_tool(group_tool) != 0) _exit(CUSERNS_GROUPS);
    _exit(0);
}

static int write_file(const char *path, const char *text) {
    int file = open(path, O_WRONLY | O_CLOEXEC);
    if (file < 0) return errno;
    size_t size = strlen(text);
    ssize_t count = write(file, text, size);
    int error = count < 0 ? errno : (size_t)count == size ? 0 : EIO;
    if (close(file) != 0 && !error) error = errno;
    return error;
}

/// The caller's own ids as the only ones: without privilege outside no more can be had, and no group be left.
static int take_own_ids(unsigned user, unsigned group, struct cuserns_failure *failure) {
    char line[32];
    snprintf(line, sizeof line, "0 %u 1\n", user);
    int error = write_file("/proc/self/uid_map", line);
    if (error) return fail(failure, CUSERNS_USERS, error);
    error = write_file("/proc/self/setgroups", "deny");
    snprintf(line, sizeof line, "0 %u 1\n", group);
    if (!error) error = write_file("/proc/self/gid_map", line);
    return error ? fail(failure, CUSERNS_GROUPS, error) : 0;
}

/// The helper's words, without the end of the last line, and its exit status.
static int wait_for_ids(pid_t helper, int words, struct cuserns_failure *failure) {
    size_t size = 0;
    char rest[256];
    while (1) {
        size_t room = sizeof failure->text - 1 - size;
        ssize_t count = room ? read(words, failure->text + size, room) : read(words, rest, sizeof rest);
        if (count < 0 && errno == EINTR) continue;
        if (count <= 0) break;
        if (room) size += (size_t)count;
    }
    while (size && failure->text[size - 1] == '\n') size--;
    failure->text[size] = 0;
    int status = 0;
    while (waitpid(helper, &status, 0) < 0)
        if (errno != EINTR) return fail(failure, CUSERNS_FORK, errno);
    if (status == 0) return 0;
    return fail(failure, WIFEXITED(status) ? WEXITSTATUS(status) : CUSERNS_USERS, 0);
}

static int unshare_and_wait(pid_t helper, int go, int words, struct cuserns_failure *failure) {
    int error = unshare(CLONE_NEWUSER | CLONE_NEWNS) == 0 ? 0 : errno;
    // End of file tells the helper to leave.
    if (!error && write(go, "", 1) != 1) error = errno;
    close(go);
    int result = wait_for_ids(helper, words, failure);
    return error ? fail(failure, CUSERNS_UNSHARE, error) : result;
}

static int create_with_tools(char *const *user_tool, char *const *group_tool, struct cuserns_failure *failure) {
    int go[2], words[2];
    if (pipe2(go, O_CLOEXEC) != 0) return fail(failure, CUSERNS_FORK, errno);
    if (pipe2(words, O_CLOEXEC) != 0) {
        int error = errno;
        close(go[0]);
        close(go[1]);
        return fail(failure, CUSERNS_FORK, error);
    }
    pid_t helper = fork();
    if (helper == 0) {
        close(go[1]);
        close(words[0]);
        give_ids(go[0], words[1], user_tool, group_tool);
    }
    int error = errno;
    close(go[0]);
    close(words[1]);
    int result = helper < 0 ? fail(failure, CUSERNS_FORK, error)
                            : unshare_and_wait(helper, go[1], words[0], failure);
    if (helper < 0) close(go[1]);
    close(words[0]);
    return result;
}

static int create_with_own_ids(struct cuserns_failure *failure) {
    unsigned user = geteuid(), group = getegid();
    if (unshare(CLONE_NEWUSER | CLONE_NEWNS) != 0) return fail(failure, CUSERNS_UNSHARE, errno);
    return take_own_ids(user, group, failure);
}

/// What the host mounts later shall be seen here; the other way the kernel allows nothing.
static int receive_mounts(struct cuserns_failure *failure) {
    if (mount(NULL, "/", NULL, MS_REC | MS_SLAVE, NULL) != 0) return fail(failure, CUSERNS_MOUNTS, errno);
    return 0;
}

int cuserns_try(struct cuserns_failure *failure) {
    memset(failure, 0, sizeof *failure);
    int words[2];
    if (pipe2(words, O_CLOEXEC) != 0) return fail(failure, CUSERNS_FORK, errno);
    pid_t child = fork();
    if (child == 0) {
        if (create_with_own_ids(failure) == 0) receive_mounts(failure);
        _exit(write(words[1], failure, sizeof *failure) == sizeof *failure ? 0 : 1);
    }
    int error = errno;
    close(words[1]);
    if (child < 0) {
        close(words[0]);
        return fail(failure, CUSERNS_FORK, error);
    }
    ssize_t count;
    do count = read(words[0], failure, sizeof *failure);
    while (count < 0 && errno == EINTR);
    close(words[0]);
    while (waitpid(child, NULL, 0) < 0)
        if (errno != EINTR) return fail(failure, CUSERNS_FORK, errno);
    if (count != sizeof *failure) return fail(failure, CUSERNS_FORK, ECHILD);
    return failure->stage ? -1 : 0;
}

int cuserns_create(char *const *user_tool, char *const *group_tool, struct cuserns_failure *failure) {
    memset(failure, 0, sizeof *failure);
    int result = user_tool && group_tool ? create_with_tools(user_tool, group_tool, failure)
                                         : create_with_own_ids(failure);
    return result == 0 ? receive_mounts(failure) : -1;
}

int cuserns_join(int user, int mounts) {
    if (setns(user, CLONE_NEWUSER) != 0) return -1;
    return mounts < 0 ? 0 : setns(mounts, CLONE_NEWNS);
}

int cuserns_unshare_mounts(void) {
    if (unshare(CLONE_NEWNS) != 0) return -1;
    return mount(NULL, "/", NULL, MS_REC | MS_SLAVE, NULL);
}
