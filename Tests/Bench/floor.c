// What one container costs the kernel: the system calls that no engine gets around, and nothing else. No image is
// looked up, no record written, no monitor started; nor are there masked paths, capabilities, a filter or limits.
//
//   floor run WORK LOWER[:LOWER…] PROGRAM [ARGUMENT…]   a new container over these lower directories, the upmost first;
//                                                       WORK is a directory on their file system, for what is written
//   floor exec PID PROGRAM [ARGUMENT…]                  one more process in the container whose first process is PID
//
// Exits as PROGRAM did, with 128 + N after signal N, with 125 where it failed itself.
#define _GNU_SOURCE
#include "floor.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <linux/sched.h>
#include <net/if.h>
#include <sched.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/pidfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>
#include <unistd.h>

void fail(const char *format, ...) {
    int code = errno;
    va_list arguments;
    va_start(arguments, format);
    fputs("floor: ", stderr);
    vfprintf(stderr, format, arguments);
    fprintf(stderr, ": %s\n", strerror(code));
    _exit(125);
}

static char *text(const char *format, ...) {
    char *made;
    va_list arguments;
    va_start(arguments, format);
    if (vasprintf(&made, format, arguments) < 0) fail("memory");
    return made;
}

static void make_directory(const char *path) {
    if (mkdir(path, 0755) && errno != EEXIST) fail("mkdir %s", path);
}

// A file system of the kernel's on a directory that is made where the image has none.
static void mount_on(const char *type, const char *path, unsigned long flags, const char *options) {
    make_directory(path);
    if (mount(type, path, type, flags, options)) fail("mount %s on %s", type, path);
}

static void make_devices(void) {
    static const struct { const char *path; int major, minor; } nodes[] = {
        {"dev/null", 1, 3}, {"dev/zero", 1, 5}, {"dev/full", 1, 7},
        {"dev/random", 1, 8}, {"dev/urandom", 1, 9}, {"dev/tty", 5, 0},
    };
    static const char *const links[][2] = {
        {"/proc/self/fd", "dev/fd"}, {"/proc/self/fd/0", "dev/stdin"}, {"/proc/self/fd/1", "dev/stdout"},
        {"/proc/self/fd/2", "dev/stderr"}, {"pts/ptmx", "dev/ptmx"},
    };
    umask(0);
    for (size_t i = 0; i < sizeof nodes / sizeof *nodes; i++)
        if (mknod(nodes[i].path, S_IFCHR | 0666, makedev(nodes[i].major, nodes[i].minor)))
            fail("mknod %s", nodes[i].path);
    for (size_t i = 0; i < sizeof links / sizeof *links; i++)
        if (symlink(links[i][0], links[i][1])) fail("symlink %s", links[i][1]);
    umask(022);
}

// The container's tree, from inside its mount namespace, and the way into it.
static void enter_root(const char *work, const char *lower) {
    // What is mounted from here on is not seen outside.
    if (mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL)) fail("make mounts private");
    if (chdir(work)) fail("chdir %s", work);
    // volatile: nothing is synced at unmount; the writable layer is thrown away.
    char *options = text("lowerdir=%s,upperdir=upper,workdir=work,index=off,metacopy=off,volatile", lower);
    if (mount("overlay", "merged", "overlay", 0, options)) fail("mount the overlay %s", options);
    if (chdir("merged")) fail("chdir merged");

    const unsigned long inert = MS_NOSUID | MS_NODEV | MS_NOEXEC;
    mount_on("proc", "proc", inert, NULL);
    mount_on("tmpfs", "dev", MS_NOSUID | MS_STRICTATIME, "mode=755,size=65536k");
    mount_on("devpts", "dev/pts", MS_NOSUID | MS_NOEXEC, "newinstance,ptmxmode=0666,mode=0620,gid=5");
    mount_on("tmpfs", "dev/shm", inert, "mode=1777,size=65536k");
    mount_on("mqueue", "dev/mqueue", inert, NULL);
    mount_on("sysfs", "sys", inert | MS_RDONLY, NULL);
    make_devices();

    // The old root comes to lie over the new one and is taken off it: no directory is needed for it.
    if (syscall(SYS_pivot_root, ".", ".")) fail("pivot_root");
    if (umount2(".", MNT_DETACH)) fail("detach the old root");
}

static void bring_up_loopback(void) {
    struct ifreq request = {.ifr_name = "lo", .ifr_flags = IFF_UP};
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (fd < 0 || ioctl(fd, SIOCSIFFLAGS, &request)) fail("bring up lo");
    close(fd);
}

static void execute(char **command) {
    char *environment[] = {"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", NULL};
    environ = environment;
    execvp(command[0], command);
    fail("exec %s", command[0]);
}

static pid_t spawn(uint64_t flags, int cgroup) {
    struct clone_args arguments = {.flags = flags, .exit_signal = SIGCHLD};
    if (cgroup >= 0) {
        arguments.flags |= CLONE_INTO_CGROUP;
        arguments.cgroup = (uint64_t)cgroup;
    }
    pid_t child = (pid_t)syscall(SYS_clone3, &arguments, sizeof arguments);
    if (child < 0) fail("clone3");
    return child;
}

static int await(pid_t child) {
    int status;
    if (waitpid(child, &status, 0) != child) fail("waitpid");
    return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

static int remove_entry(const char *path, const struct stat *status, int kind, struct FTW *walk) {
    (void)status, (void)kind, (void)walk;
    return remove(path);
}

static int run(const char *place, const char *lower, char **command) {
    const char *name = text("floor-%d", (int)getpid());
    const char *work = text("%s/%s", place, name);
    make_directory(work);
    make_directory(text("%s/upper", work));
    make_directory(text("%s/work", work));
    make_directory(text("%s/merged", work));
    struct cgroups groups;
    make_cgroups(&groups, name);

    pid_t child = spawn(CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWIPC | CLONE_NEWUTS | CLONE_NEWNET, groups.unified);
    if (child == 0) {
        join_cgroups(&groups);
        // Its root is what its maker is in, so it comes after the joining.
        if (unshare(CLONE_NEWCGROUP)) fail("unshare the cgroup namespace");
        enter_root(work, lower);
        bring_up_loopback();
        if (sethostname(name, strlen(name))) fail("sethostname");
        execute(command);
    }
    int code = await(child);

    remove_cgroups(&groups);
    // The mounts went with their namespace: these are plain directories.
    if (nftw(work, remove_entry, 8, FTW_DEPTH | FTW_PHYS)) fail("remove %s", work);
    return code;
}

static int exec_in(pid_t first, char **command) {
    int target = pidfd_open(first, 0);
    if (target < 0) fail("pidfd_open %d", (int)first);
    struct cgroups groups;
    find_cgroups(&groups, first);
    join_cgroups(&groups);
    const int kinds = CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWIPC | CLONE_NEWUTS | CLONE_NEWNET | CLONE_NEWCGROUP;
    // Only a child of ours is in the process namespace.
    if (setns(target, kinds)) fail("setns into %d", (int)first);
    pid_t child = spawn(0, groups.unified);
    if (child == 0) execute(command);
    return await(child);
}

int main(int count, char **words) {
    if (count >= 5 && strcmp(words[1], "run") == 0) return run(words[2], words[3], words + 4);
    if (count >= 4 && strcmp(words[1], "exec") == 0) return exec_in((pid_t)strtol(words[2], NULL, 10), words + 3);
    fputs("usage: floor run WORK LOWER[:LOWER…] PROGRAM [ARGUMENT…]\n"
          "       floor exec PID PROGRAM [ARGUMENT…]\n", stderr);
    return 125;
}
