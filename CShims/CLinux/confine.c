#include "CLinux.h"

#include <errno.h>
#include <linux/capability.h>

// The header of an older kernel lacks the later members: this is struct landlock_ruleset_attr of ABI 6.
struct ruleset {
    uint64_t files, network, scopes;
};

struct path_rule {
    uint64_t allowed;
    int32_t parent;
} __attribute__((packed));

struct port_rule {
    uint64_t allowed, port;
};

enum { VERSION = 1, PATH_BENEATH = 1, NET_PORT = 2 };

int clinux_landlock_version(void) { return (int)syscall(SYS_landlock_create_ruleset, NULL, 0, VERSION); }

int clinux_landlock_create(uint64_t files, uint64_t network, uint64_t scopes) {
    struct ruleset attributes = {.files = files, .network = network, .scopes = scopes};
    // Older kernels refuse a longer structure only when what they do not know is not zero (E2BIG).
    return (int)syscall(SYS_landlock_create_ruleset, &attributes, sizeof attributes, 0);
}

int clinux_landlock_allow_path(int ruleset, int path, uint64_t allowed) {
    struct path_rule rule = {.allowed = allowed, .parent = path};
    return (int)syscall(SYS_landlock_add_rule, ruleset, PATH_BENEATH, &rule, 0);
}

int clinux_landlock_allow_port(int ruleset, uint16_t port, uint64_t allowed) {
    struct port_rule rule = {.allowed = allowed, .port = port};
    return (int)syscall(SYS_landlock_add_rule, ruleset, NET_PORT, &rule, 0);
}

int clinux_landlock_restrict(int ruleset) {
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) return -1;
    return (int)syscall(SYS_landlock_restrict_self, ruleset, 0);
}

int clinux_keep_capabilities(uint64_t keep) {
    // Needs CAP_SETPCAP, which goes with the rest below. Without it the set stays, and means nothing: it only counts at
    // an execve(2).
    for (int capability = 0; capability < 64; capability++) {
        if (!(keep >> capability & 1) && prctl(PR_CAPBSET_DROP, capability, 0, 0, 0) != 0) break;
    }
    prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0);
    struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
    struct __user_cap_data_struct data[2];
    if (syscall(SYS_capget, &header, data) != 0) return -1;
    for (unsigned half = 0; half < 2; half++) {
        uint32_t mask = (uint32_t)(keep >> (32 * half));
        data[half].permitted &= mask;
        data[half].effective = data[half].permitted;
        data[half].inheritable = 0;
    }
    return (int)syscall(SYS_capset, &header, data);
}

uint64_t clinux_effective_capabilities(void) {
    struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
    struct __user_cap_data_struct data[2] = {0};
    // Of the caller it can't fail (capget(2)).
    syscall(SYS_capget, &header, data);
    return (uint64_t)data[1].effective << 32 | data[0].effective;
}

int clinux_mount_setattr(int directory, const char *path, unsigned flags, uint64_t set, uint64_t clear) {
    struct {
        uint64_t set, clear, propagation, user_namespace;
    } attributes = {.set = set, .clear = clear};
    return (int)syscall(SYS_mount_setattr, directory, path, flags, &attributes, sizeof attributes);
}
