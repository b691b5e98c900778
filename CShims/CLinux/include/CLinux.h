// What the Glibc module map of Swift lacks: variadic calls, newer system calls, macros that take values.
#ifndef CLINUX_H
#define CLINUX_H

#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <dirent.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <pty.h>
#include <sched.h>
#include <spawn.h>
#include <stdint.h>
#include <sys/epoll.h>
#include <sys/file.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/random.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/timerfd.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <sys/xattr.h>
#include <termios.h>
#include <unistd.h>

int clinux_open(int dirfd, const char *path, int flags, mode_t mode);
/// openat2(2); `resolve` is a mask of RESOLVE_*.
int clinux_openat2(int dirfd, const char *path, uint64_t flags, uint64_t mode, uint64_t resolve);
int clinux_renameat2(int olddir, const char *oldpath, int newdir, const char *newpath, unsigned flags);
int clinux_pidfd_open(pid_t pid, unsigned flags);
int clinux_pidfd_send_signal(int pidfd, int signal);
int clinux_close_range(unsigned first, unsigned last, unsigned flags);
int clinux_fcntl(int fd, int command, long argument);
int clinux_get_winsize(int fd, struct winsize *size);
int clinux_set_winsize(int fd, const struct winsize *size);
int clinux_prctl(int option, unsigned long a, unsigned long b, unsigned long c, unsigned long d);
int clinux_wait_pidfd(int pidfd, siginfo_t *info, int options);
/// The status members of a siginfo_t are macros over a union.
int clinux_siginfo_status(const siginfo_t *info);
int clinux_siginfo_code(const siginfo_t *info);
dev_t clinux_makedev(unsigned major, unsigned minor);
unsigned clinux_major(dev_t device);
unsigned clinux_minor(dev_t device);
const char *clinux_errno_name(int error);
/// Runs `body` on a thread with a mount namespace and working directory of its own, and waits for it. What it mounts is
/// gone with the thread.
int clinux_with_private_mounts(void (*body)(void *), void *context);
/// Closes all descriptors from `first` on in the spawned child; missing in the module map.
int clinux_spawn_close_from(posix_spawn_file_actions_t *actions, int first);
/// The process's environment: `environ` is mutable state that Swift 6 can't name.
char *const *clinux_environment(void);
/// bpf(2): BPF_PROG_LOAD of `count` instructions of struct bpf_insn, and BPF_PROG_ATTACH with BPF_F_ALLOW_MULTI.
int clinux_bpf_load_cgroup_device(const void *instructions, uint32_t count, const char *license);
int clinux_bpf_attach_cgroup_device(int cgroup, int program);
/// Landlock (landlock(7)): from now on the calling thread, and those it starts, change files only below `directory`.
int clinux_confine_writes(int directory);
/// seccomp(2): from now on the same threads can't execute, trace, mount, change namespaces or load code into the kernel.
int clinux_confine_calls(void);

enum { CLINUX_RESOLVE_NO_XDEV = 1, CLINUX_RESOLVE_NO_MAGICLINKS = 2, CLINUX_RESOLVE_NO_SYMLINKS = 4,
       CLINUX_RESOLVE_BENEATH = 8, CLINUX_RESOLVE_IN_ROOT = 16 };

#endif
