// A program for the inside of a container: prints what it is allowed and what it sees, one `key=value` a line, or does
// one thing that a test needs done. Static, so that it runs in any image and as its only file.
#define _GNU_SOURCE
#include "probe.h"

#include <dirent.h>
#include <grp.h>
#include <limits.h>
#include <net/if.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/utsname.h>
#include <termios.h>

const char *error_name(int error) {
    const char *name = error == 0 ? "ok" : strerrorname_np(error);
    return name ? name : "?";
}

/// Prints the file's lines as `key.N=line`, or the error of opening it.
static void print_file(const char *key, const char *path) {
    FILE *file = fopen(path, "re");
    if (!file) {
        printf("%s=!%s\n", key, error_name(errno));
        return;
    }
    char line[8192];
    for (int number = 0; fgets(line, sizeof line, file); number++) {
        line[strcspn(line, "\n")] = 0;
        printf("%s.%d=%s\n", key, number, line);
    }
    fclose(file);
}

static void print_status(void) {
    static const struct { const char *field, *key; } wanted[] = {
        {"CapInh:", "cap_inheritable"}, {"CapPrm:", "cap_permitted"}, {"CapEff:", "cap_effective"},
        {"CapBnd:", "cap_bounding"}, {"CapAmb:", "cap_ambient"}, {"NoNewPrivs:", "no_new_privs"},
        {"Seccomp:", "seccomp"}, {"Seccomp_filters:", "seccomp_filters"}, {"Umask:", "umask"},
        {"Cpus_allowed_list:", "cpus_allowed"}, {"SigBlk:", "signals_blocked"}, {"SigIgn:", "signals_ignored"},
    };
    FILE *file = fopen("/proc/self/status", "re");
    if (!file) return;
    char line[1024];
    while (fgets(line, sizeof line, file)) {
        for (size_t i = 0; i < sizeof wanted / sizeof *wanted; i++) {
            size_t length = strlen(wanted[i].field);
            if (strncmp(line, wanted[i].field, length)) continue;
            char *value = line + length + strspn(line + length, " \t");
            value[strcspn(value, "\n")] = 0;
            printf("%s=%s\n", wanted[i].key, value);
        }
    }
    fclose(file);
}

static void print_ids(void) {
    uid_t ruid, euid, suid;
    gid_t rgid, egid, sgid;
    getresuid(&ruid, &euid, &suid);
    getresgid(&rgid, &egid, &sgid);
    printf("uid=%u:%u:%u\ngid=%u:%u:%u\n", ruid, euid, suid, rgid, egid, sgid);
    gid_t groups[256];
    int count = getgroups(256, groups);
    printf("groups=");
    for (int i = 0; i < count; i++) printf("%s%u", i ? "," : "", groups[i]);
    printf("\npid=%d\nppid=%d\npgid=%d\nsid=%d\n", getpid(), getppid(), getpgid(0), getsid(0));
    struct utsname names;
    uname(&names);
    printf("hostname=%s\ndomainname=%s\nmachine=%s\n", names.nodename, names.domainname, names.machine);
    char cwd[PATH_MAX];
    printf("cwd=%s\n", getcwd(cwd, sizeof cwd) ? cwd : error_name(errno));
}

static void print_descriptors(void) {
    DIR *directory = opendir("/proc/self/fd");
    if (!directory) return;
    struct dirent *entry;
    while ((entry = readdir(directory))) {
        if (entry->d_name[0] == '.' || atoi(entry->d_name) == dirfd(directory)) continue;
        char target[PATH_MAX] = "";
        if (readlinkat(dirfd(directory), entry->d_name, target, sizeof target - 1) < 0) continue;
        printf("fd.%s=%s\n", entry->d_name, target);
    }
    closedir(directory);
}

static void print_terminal(void) {
    for (int fd = 0; fd < 3; fd++) printf("isatty.%d=%d\n", fd, isatty(fd));
    struct winsize size;
    if (ioctl(0, TIOCGWINSZ, &size) == 0) printf("winsize=%dx%d\n", size.ws_row, size.ws_col);
    printf("tpgid=%d\n", tcgetpgrp(0));
    int tty = open("/dev/tty", O_RDWR | O_CLOEXEC);
    printf("controlling_terminal=%s\n", tty >= 0 ? "yes" : error_name(errno));
    if (tty >= 0) close(tty);
}

static void print_limits(void) {
    static const struct { int number; const char *name; } limits[] = {
        {RLIMIT_AS, "as"}, {RLIMIT_CORE, "core"}, {RLIMIT_CPU, "cpu"}, {RLIMIT_DATA, "data"},
        {RLIMIT_FSIZE, "fsize"}, {RLIMIT_LOCKS, "locks"}, {RLIMIT_MEMLOCK, "memlock"},
        {RLIMIT_MSGQUEUE, "msgqueue"}, {RLIMIT_NICE, "nice"}, {RLIMIT_NOFILE, "nofile"},
        {RLIMIT_NPROC, "nproc"}, {RLIMIT_RSS, "rss"}, {RLIMIT_RTPRIO, "rtprio"},
        {RLIMIT_RTTIME, "rttime"}, {RLIMIT_SIGPENDING, "sigpending"}, {RLIMIT_STACK, "stack"},
    };
    for (size_t i = 0; i < sizeof limits / sizeof *limits; i++) {
        struct rlimit value;
        getrlimit(limits[i].number, &value);
        printf("rlimit.%s=%lld:%lld\n", limits[i].name, (long long)value.rlim_cur, (long long)value.rlim_max);
    }
}

static void print_namespaces(void) {
    static const char *const names[] = {"cgroup", "ipc", "mnt", "net", "pid", "time", "user", "uts"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        char path[64];
        struct stat status;
        snprintf(path, sizeof path, "/proc/self/ns/%s", names[i]);
        if (stat(path, &status) == 0) printf("ns.%s=%llu\n", names[i], (unsigned long long)status.st_ino);
    }
}

static void print_devices(void) {
    DIR *directory = opendir("/dev");
    if (!directory) return;
    struct dirent *entry;
    while ((entry = readdir(directory))) {
        struct stat status;
        if (entry->d_name[0] == '.' || fstatat(dirfd(directory), entry->d_name, &status, AT_SYMLINK_NOFOLLOW)) continue;
        if (S_ISLNK(status.st_mode)) {
            char target[PATH_MAX] = "";
            if (readlinkat(dirfd(directory), entry->d_name, target, sizeof target - 1) < 0) continue;
            printf("dev.%s=link %s\n", entry->d_name, target);
        } else if (S_ISCHR(status.st_mode) || S_ISBLK(status.st_mode)) {
            printf("dev.%s=%c %u:%u %o\n", entry->d_name, S_ISCHR(status.st_mode) ? 'c' : 'b',
                   major(status.st_rdev), minor(status.st_rdev), status.st_mode & 07777);
        } else {
            printf("dev.%s=%s %o\n", entry->d_name, S_ISDIR(status.st_mode) ? "directory" : "file",
                   status.st_mode & 07777);
        }
    }
    closedir(directory);
}

static void print_interfaces(void) {
    int control = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    struct if_nameindex *list = if_nameindex();
    for (struct if_nameindex *each = list; each && each->if_index; each++) {
        struct ifreq request = {0};
        snprintf(request.ifr_name, sizeof request.ifr_name, "%s", each->if_name);
        int up = ioctl(control, SIOCGIFFLAGS, &request) == 0 && (request.ifr_flags & IFF_UP);
        printf("interface.%s=%s\n", each->if_name, up ? "up" : "down");
    }
    if (list) if_freenameindex(list);
    if (control >= 0) close(control);
}

static void print_environment(char **envp) {
    for (; *envp; envp++) printf("env.%s\n", *envp);
}

/// A process that may be gone by the time we look is no concern: every line stands for itself.
static void print_all(char **envp) {
    print_status();
    print_ids();
    print_descriptors();
    print_terminal();
    print_limits();
    print_namespaces();
    print_devices();
    print_interfaces();
    print_environment(envp);
    print_file("uid_map", "/proc/self/uid_map");
    print_file("gid_map", "/proc/self/gid_map");
    print_file("cgroup", "/proc/self/cgroup");
    print_file("mount", "/proc/self/mountinfo");
    print_file("oom_score_adj", "/proc/self/oom_score_adj");
    print_paths();
    print_calls();
}

int main(int argc, char **argv, char **envp) {
    setvbuf(stdout, NULL, _IOLBF, 0);
    if (argc > 1) return act(argc - 1, argv + 1, envp);
    print_all(envp);
    return 0;
}
