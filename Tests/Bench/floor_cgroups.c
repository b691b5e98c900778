// The floor's control groups: v1 where a hierarchy of it with a controller is mounted, else v2.
#define _GNU_SOURCE
#include "floor.h"

#include <errno.h>
#include <fcntl.h>
#include <mntent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static void put(const char *path, const char *value, size_t length) {
    int fd = open(path, O_WRONLY | O_CLOEXEC);
    if (fd < 0 || write(fd, value, length) != (ssize_t)length) fail("write %s", path);
    close(fd);
}

static char *join(const char *directory, const char *name) {
    char *path;
    if (asprintf(&path, "%s/%s", directory, name) < 0) fail("memory");
    return path;
}

// A new group of v1's cpuset has neither processors nor memory, and takes no process.
static void copy_from_parent(const char *parent, const char *group, const char *file) {
    char value[4096];
    char *source = join(parent, file);
    int fd = open(source, O_RDONLY | O_CLOEXEC);
    ssize_t length = fd < 0 ? -1 : read(fd, value, sizeof value);
    if (length < 0) fail("read %s", source);
    close(fd);
    put(join(group, file), value, (size_t)length);
}

static void make_group(struct cgroups *groups, const char *parent, const char *name, int is_cpuset) {
    char *group = join(parent, name);
    if (mkdir(group, 0755)) {
        if (errno == EEXIST) return; // one hierarchy that is mounted twice
        fail("mkdir %s", group);
    }
    groups->directories[groups->count++] = group;
    if (!is_cpuset) return;
    copy_from_parent(parent, group, "cpuset.cpus");
    copy_from_parent(parent, group, "cpuset.mems");
}

// Calls `visit` with each hierarchy of v1 that has a controller; gives the directory of v2's.
static char *each_hierarchy(struct cgroups *groups, const void *context,
                            void (*visit)(struct cgroups *, const struct mntent *, const void *)) {
    FILE *mounts = setmntent("/proc/mounts", "re");
    if (!mounts) fail("open /proc/mounts");
    char *unified = NULL;
    for (struct mntent *entry; (entry = getmntent(mounts));) {
        if (strcmp(entry->mnt_type, "cgroup2") == 0 && !unified) unified = strdup(entry->mnt_dir);
        if (strcmp(entry->mnt_type, "cgroup") || strstr(entry->mnt_opts, "name=")) continue;
        if (groups->count < MAX_HIERARCHIES) visit(groups, entry, context);
    }
    endmntent(mounts);
    return unified;
}

static void visit_to_make(struct cgroups *groups, const struct mntent *entry, const void *name) {
    make_group(groups, entry->mnt_dir, name, hasmntopt(entry, "cpuset") != NULL);
}

void make_cgroups(struct cgroups *groups, const char *name) {
    *groups = (struct cgroups){.unified = -1};
    char *unified = each_hierarchy(groups, name, visit_to_make);
    if (groups->count > 0) return;
    if (!unified) {
        errno = ENOENT;
        fail("no control groups are mounted");
    }
    groups->directories[0] = join(unified, name);
    if (mkdir(groups->directories[0], 0755)) fail("mkdir %s", groups->directories[0]);
    groups->unified = open(groups->directories[0], O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (groups->unified < 0) fail("open %s", groups->directories[0]);
}

// A line of /proc/PID/cgroup, `NUMBER:CONTROLLER[,CONTROLLER…]:PATH`, whose first controller the mount has.
static void visit_to_find(struct cgroups *groups, const struct mntent *entry, const void *lines) {
    char *copy = strdup(lines), *rest = copy;
    for (char *line; (line = strsep(&rest, "\n"));) {
        strsep(&line, ":");
        char *controllers = strsep(&line, ":");
        char *first = strsep(&controllers, ",");
        if (!first || !*first || !line || !hasmntopt(entry, first)) continue;
        groups->directories[groups->count++] = join(entry->mnt_dir, line + 1);
        break;
    }
    free(copy);
}

void find_cgroups(struct cgroups *groups, pid_t pid) {
    char path[64], lines[8192];
    snprintf(path, sizeof path, "/proc/%d/cgroup", (int)pid);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t length = fd < 0 ? -1 : read(fd, lines, sizeof lines - 1);
    if (length < 0) fail("read %s", path);
    close(fd);
    lines[length] = 0;
    *groups = (struct cgroups){.unified = -1};
    char *unified = each_hierarchy(groups, lines, visit_to_find);
    char *line = strstr(lines, "0::/");
    if (groups->count > 0 || !unified || !line) return;
    line[strcspn(line, "\n")] = 0;
    groups->directories[0] = join(unified, line + strlen("0::/"));
    groups->unified = open(groups->directories[0], O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (groups->unified < 0) fail("open %s", groups->directories[0]);
}

void join_cgroups(const struct cgroups *groups) {
    // tasks takes one thread, the writer; cgroup.procs would hold up every fork on the machine meanwhile.
    for (int i = 0; i < groups->count; i++) put(join(groups->directories[i], "tasks"), "0", 1);
}

void remove_cgroups(const struct cgroups *groups) {
    for (int i = 0; i < groups->count + (groups->unified >= 0); i++)
        if (rmdir(groups->directories[i])) fail("rmdir %s", groups->directories[i]);
}
