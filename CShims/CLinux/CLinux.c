#include "CLinux.h"

#include <errno.h>
#include <linux/fs.h>
#include <string.h>

int clinux_open(int dirfd, const char *path, int flags, mode_t mode) { return openat(dirfd, path, flags, mode); }

int clinux_openat2(int dirfd, const char *path, uint64_t flags, uint64_t mode, uint64_t resolve) {
    struct open_how how = {.flags = flags, .mode = mode, .resolve = resolve};
    return (int)syscall(SYS_openat2, dirfd, path, &how, sizeof how);
}

int clinux_clone_file(int source, int target) { return ioctl(target, FICLONE, source); }

int clinux_renameat2(int olddir, const char *oldpath, int newdir, const char *newpath, unsigned flags) {
    return (int)syscall(SYS_renameat2, olddir, oldpath, newdir, newpath, flags);
}

int clinux_begin_writing(int fd, int64_t offset, int64_t count) {
    return sync_file_range(fd, offset, count, SYNC_FILE_RANGE_WRITE);
}

int clinux_pidfd_open(pid_t pid, unsigned flags) { return (int)syscall(SYS_pidfd_open, pid, flags); }

int clinux_pidfd_send_signal(int pidfd, int signal) {
    return (int)syscall(SYS_pidfd_send_signal, pidfd, signal, NULL, 0);
}

int clinux_close_range(unsigned first, unsigned last, unsigned flags) {
    return (int)syscall(SYS_close_range, first, last, flags);
}

int clinux_fcntl(int fd, int command, long argument) { return fcntl(fd, command, argument); }

int clinux_get_winsize(int fd, struct winsize *size) { return ioctl(fd, TIOCGWINSZ, size); }

int clinux_set_winsize(int fd, const struct winsize *size) { return ioctl(fd, TIOCSWINSZ, size); }

int clinux_prctl(int option, unsigned long a, unsigned long b, unsigned long c, unsigned long d) {
    return prctl(option, a, b, c, d);
}

int clinux_wait_pidfd(int pidfd, siginfo_t *info, int options) {
    memset(info, 0, sizeof *info);
    return waitid(P_PIDFD, (id_t)pidfd, info, options);
}

int clinux_siginfo_status(const siginfo_t *info) { return info->si_status; }

int clinux_siginfo_code(const siginfo_t *info) { return info->si_code; }

dev_t clinux_makedev(unsigned major_number, unsigned minor_number) { return makedev(major_number, minor_number); }

unsigned clinux_major(dev_t device) { return major(device); }

unsigned clinux_minor(dev_t device) { return minor(device); }

const char *clinux_errno_name(int error) { return strerrorname_np(error); }

int clinux_spawn_close_from(posix_spawn_file_actions_t *actions, int first) {
    return posix_spawn_file_actions_addclosefrom_np(actions, first);
}

char *const *clinux_environment(void) { return environ; }
