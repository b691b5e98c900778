// The holder's way in: the static executable becomes one when it is started under that name, before Swift's runtime has
// touched a page.
#define _GNU_SOURCE
#include "CLinux.h"
#include "ports.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

struct port cports_ports[CPORTS_MAX_SOCKETS];
uint32_t cports_port_count;
char cports_scratch[128 << 10];

static bool read_whole(void *bytes, size_t size, off_t *at) {
    ssize_t count = pread(CPORTS_CONFIG, bytes, size, *at);
    *at += count;
    return count == (ssize_t)size;
}

static union address target_of(const struct cports_target *target) {
    union address result;
    memset(&result, 0, sizeof result);
    if (target->is_version6) {
        result.six.sin6_family = AF_INET6;
        result.six.sin6_port = htons(target->port);
        memcpy(&result.six.sin6_addr, target->address, sizeof result.six.sin6_addr);
    } else {
        result.four.sin_family = AF_INET;
        result.four.sin_port = htons(target->port);
        memcpy(&result.four.sin_addr, target->address, sizeof result.four.sin_addr);
    }
    return result;
}

static bool read_config(struct cports_config *config) {
    off_t at = 0;
    errno = EINVAL;
    if (!read_whole(config, sizeof *config, &at) || config->count > CPORTS_MAX_SOCKETS) return false;
    for (uint32_t i = 0; i < config->count; i++) {
        struct cports_target target;
        if (!read_whole(&target, sizeof target, &at)) return false;
        cports_ports[i] = (struct port){
            .fd = CPORTS_SOCKETS + (int)i, .transport = target.transport, .target = target_of(&target)};
    }
    cports_port_count = config->count;
    return true;
}

/// As many descriptors as there may be; what else was open is closed.
static bool take_descriptors(uint32_t *most) {
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return false;
    limit.rlim_cur = limit.rlim_max;
    if (setrlimit(RLIMIT_NOFILE, &limit) != 0) return false;
    *most = limit.rlim_cur < UINT32_MAX ? (uint32_t)limit.rlim_cur : UINT32_MAX;
    return close_range(CPORTS_SOCKETS + cports_port_count, ~0U, 0) == 0;
}

/// What is left can connect, and nothing else that others could not: its sockets are bound, its namespace is joined.
static bool drop_rights(void) {
    struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
    struct __user_cap_data_struct none[2] = {{0}};
    return prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0) == 0 && syscall(SYS_capset, &header, none) == 0
        && prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0;
}

static enum cports_stage prepare(void) {
    struct cports_config config;
    uint32_t descriptors;
    if (!read_config(&config)) return CPORTS_READING;
    if (!take_descriptors(&descriptors)) return CPORTS_LIMITING;
    if ((config.flags & CPORTS_JOINS) && setns(CPORTS_NAMESPACE, CLONE_NEWNET) != 0) return CPORTS_JOINING;
    close(CPORTS_NAMESPACE);
    close(CPORTS_CONFIG);
    if (!drop_rights()) return CPORTS_DROPPING;
    return cports_prepare(descriptors) == 0 ? CPORTS_SERVES : CPORTS_POLLING;
}

static int holder_main(void) {
    sigset_t all;
    sigfillset(&all);
    sigprocmask(SIG_SETMASK, &all, NULL);
    prctl(PR_SET_NAME, CPORTS_NAME, 0, 0, 0);
    // The container's processes may share our user and, with --pid host, see us.
    prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
    if (chdir("/") != 0) return 1;
    struct cports_answer answer = {.stage = prepare(), .error = errno};
    ssize_t said = write(CPORTS_READY, &answer, sizeof answer);
    // Without its starter nobody would know of it.
    if (answer.stage != CPORTS_SERVES || said != sizeof answer) return 1;
    close(CPORTS_READY);
    // The kernel read ahead, more than a megabyte.
    clinux_forget_code();
    cports_loop();
    return 0;
}

__attribute__((constructor)) static void enter(int argc, char **argv) {
    if (argc > 0 && strcmp(argv[0], CPORTS_NAME) == 0) _exit(holder_main());
}
