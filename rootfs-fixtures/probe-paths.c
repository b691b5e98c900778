// What can be done with the files through which a container could see or change its host.
#define _GNU_SOURCE
#include "probe.h"

#include <dirent.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/statfs.h>

static const char *const shown[] = {
    "/proc/acpi", "/proc/asound", "/proc/interrupts", "/proc/kcore", "/proc/keys", "/proc/latency_stats",
    "/proc/sched_debug", "/proc/scsi", "/proc/timer_list", "/proc/timer_stats", "/proc/kpagecount",
    "/proc/kpageflags", "/proc/kpagecgroup", "/sys/firmware", "/sys/devices/virtual/powercap",
    "/sys/kernel/debug", "/sys/kernel/tracing", "/sys/kernel/security", "/proc/kallsyms",
    "/sys/devices/system/cpu/cpu0/thermal_throttle", "/proc/self/exe", "/proc/1/exe",
};

static const char *const written[] = {
    "/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys", "/proc/sysrq-trigger", "/proc/sys/kernel/core_pattern",
    "/proc/sys/kernel/domainname", "/proc/sys/net/ipv4/ip_forward", "/sys/kernel", "/sys/fs/cgroup",
    "/sys/fs/cgroup/memory", "/etc", "/", "/dev", "/dev/shm", "/dev/mqueue", "/tmp",
};

/// A masked file is the null device, a masked directory an empty read-only tmpfs.
static const char *visibility(const char *path) {
    struct stat status;
    if (lstat(path, &status) != 0) return error_name(errno);
    if (S_ISCHR(status.st_mode) && status.st_rdev == makedev(1, 3)) return "masked";
    if (S_ISDIR(status.st_mode)) {
        DIR *directory = opendir(path);
        if (!directory) return error_name(errno);
        int count = 0;
        while (readdir(directory)) count++;
        closedir(directory);
        return count > 2 ? "readable" : "empty";
    }
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0) return error_name(errno);
    char byte;
    ssize_t count = read(fd, &byte, 1);
    int error = errno;
    close(fd);
    return count < 0 ? error_name(error) : "readable";
}

/// Tries to open for writing, or to make a file in a directory: nothing is written.
static const char *writability(const char *path) {
    struct stat status;
    if (stat(path, &status) != 0) return error_name(errno);
    if (!S_ISDIR(status.st_mode)) {
        int fd = open(path, O_WRONLY | O_CLOEXEC | O_NONBLOCK);
        if (fd < 0) return error_name(errno);
        close(fd);
        return "ok";
    }
    char name[4096];
    snprintf(name, sizeof name, "%s/.probe", strcmp(path, "/") ? path : "");
    int fd = open(name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (fd < 0) return error_name(errno);
    close(fd);
    unlink(name);
    return "ok";
}

void print_paths(void) {
    for (size_t i = 0; i < sizeof shown / sizeof *shown; i++) printf("read.%s=%s\n", shown[i], visibility(shown[i]));
    for (size_t i = 0; i < sizeof written / sizeof *written; i++)
        printf("write.%s=%s\n", written[i], writability(written[i]));
    printf("write./proc/self/exe=%s\nwrite./proc/1/exe=%s\n", writability("/proc/self/exe"), writability("/proc/1/exe"));
    struct statfs file_system;
    if (statfs("/dev/shm", &file_system) == 0)
        printf("shm_size=%llu\n", (unsigned long long)file_system.f_blocks * (unsigned long long)file_system.f_bsize);
    if (statfs("/", &file_system) == 0) printf("root_type=%lx\n", (unsigned long)file_system.f_type);
}
