// Who the process is and what it may do.
#include "child.h"

#include <linux/capability.h>
#include <linux/filter.h>
#include <linux/if.h>
#include <linux/seccomp.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/socket.h>

long op_bounding(const struct cinit_op *op) {
    for (int capability = 0; capability < 64; capability++) {
        if (op->a >> capability & 1) continue;
        long error = sys(prctl, PR_CAPBSET_DROP, capability, 0, 0, 0);
        if (error == -EINVAL && capability) return 0;  // past the kernel's last capability
        if (error) return error;
    }
    return 0;
}

/// Keeps the permitted set over the change of uid: the filter is loaded and the sets are lowered after it.
long op_ids(struct child *child, const struct cinit_op *op) {
    child->call = CINIT_AT_VERIFY;
    long error = sys(prctl, PR_SET_KEEPCAPS, 1, 0, 0, 0);
    child->call = CINIT_AT_CALL;
    if (!error) error = sys(setresgid, op->b, op->b, op->b);
    if (!error) error = sys(setresuid, op->a, op->a, op->a);
    // The change puts /proc/sys/fs/suid_dumpable in the place of what was set at the start.
    if (!error) error = sys(prctl, PR_SET_DUMPABLE, 0, 0, 0, 0);
    return error;
}

/// What is made from here on belongs to root of the user namespace: who has no user there can own nothing on its file
/// systems. Where groups can't be given up (user_namespaces(7), "setgroups"), nobody has more of them than before. The
/// change forgets the signal at the parent's death.
long op_become_root(struct child *child) {
    child->call = CINIT_AT_OWNER;
    long error = sys(setgroups, 0, 0);
    if (error && error != -EPERM) return error;
    struct cinit_op ids = {.a = 0, .b = 0};
    error = op_ids(child, &ids);
    return error ? error : sys(prctl, PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
}

long op_capabilities(const struct cinit_op *op) {
    struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
    struct __user_cap_data_struct data[2];
    for (int i = 0; i < 2; i++) {
        data[i].effective = (uint32_t)(op->a >> (32 * i));
        data[i].permitted = (uint32_t)(op->b >> (32 * i));
        data[i].inheritable = (uint32_t)(op->c >> (32 * i));
    }
    return sys(capset, &header, data);
}

long op_ambient(const struct cinit_op *op) {
    long error = sys(prctl, PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0);
    for (int capability = 0; capability < 64 && !error; capability++)
        if (op->a >> capability & 1) error = sys(prctl, PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, capability, 0, 0);
    return error;
}

long op_seccomp(struct child *child, const struct cinit_op *op) {
    struct sock_fprog program = {.len = (unsigned short)op->a,
                                 .filter = (struct sock_filter *)(void *)(child->base + op->text)};
    long result = sys(seccomp, SECCOMP_SET_MODE_FILTER, op->b, &program);
    if (result < 0 || !(op->b & SECCOMP_FILTER_FLAG_NEW_LISTENER)) return result;
    // Every further call may be one that waits for the listener: this one is all that it takes to hand it over. The
    // descriptor closes at exec.
    child->call = CINIT_AT_SEND;
    return send_descriptor(child, CINIT_SECCOMP_LISTENER, (int)result);
}

/// The signal is lost when the parent died before prctl: then its end of the socket is closed.
long op_parent_death(struct child *child, const struct cinit_op *op) {
    long error = sys(prctl, PR_SET_PDEATHSIG, op->a, 0, 0, 0);
    if (error) return error;
    char byte;
    long count = sys(recvfrom, child->report, &byte, 1, MSG_DONTWAIT | MSG_PEEK, 0, 0);
    return count == -EAGAIN ? 0 : -ESRCH;
}

long op_loopback(void) {
    struct ifreq request = {.ifr_name = "lo", .ifr_flags = IFF_UP | IFF_RUNNING};
    long fd = sys(socket, AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (fd < 0) return fd;
    long error = sys(ioctl, fd, SIOCSIFFLAGS, &request);
    sys(close, fd);
    return error;
}
