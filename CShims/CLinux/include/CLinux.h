// What the Glibc module map of Swift lacks: variadic calls, newer system calls, macros that take values.
#ifndef CLINUX_H
#define CLINUX_H

#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <dirent.h>
#include <fcntl.h>
#include <linux/if_addr.h>
#include <linux/if_link.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netfilter/nfnetlink_conntrack.h>
#include <linux/netlink.h>
#include <linux/openat2.h>
#include <linux/rtnetlink.h>
#include <linux/veth.h>
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
/// ioctl(FICLONE): `target` shares the blocks of `source`.
int clinux_clone_file(int source, int target);
int clinux_renameat2(int olddir, const char *oldpath, int newdir, const char *newpath, unsigned flags);
/// sync_file_range(2) with SYNC_FILE_RANGE_WRITE: begins, and waits for nothing. `count` 0 is all behind `offset`.
int clinux_begin_writing(int fd, int64_t offset, int64_t count);
int clinux_pidfd_open(pid_t pid, unsigned flags);
int clinux_pidfd_send_signal(int pidfd, int signal);
int clinux_close_range(unsigned first, unsigned last, unsigned flags);
int clinux_fcntl(int fd, int command, long argument);
int clinux_get_winsize(int fd, struct winsize *size);
int clinux_set_winsize(int fd, const struct winsize *size);
int clinux_prctl(int option, unsigned long a, unsigned long b, unsigned long c, unsigned long d);
int clinux_wait_pidfd(int pidfd, siginfo_t *info, int options);

/// Makes a child that does nothing until it is killed, or its parent thread ends; returns its number, and its pidfd, which is
/// close-on-exec. -1 with errno.
pid_t clinux_hold(int *pidfd);
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
/// Landlock (landlock(7)): the kernel's ABI, or -1 where it has none; a new ruleset; rules; and their enforcement, which
/// sets no_new_privs. Threads started later are under it too.
int clinux_landlock_version(void);
int clinux_landlock_create(uint64_t files, uint64_t network, uint64_t scopes);
int clinux_landlock_allow_path(int ruleset, int path, uint64_t allowed);
int clinux_landlock_allow_port(int ruleset, uint16_t port, uint64_t allowed);
int clinux_landlock_restrict(int ruleset);
/// Gives up all capabilities but those of the mask, in every set of the calling thread.
int clinux_keep_capabilities(uint64_t keep);
/// The capabilities that the calling thread has in effect, as bits (capabilities(7)).
uint64_t clinux_effective_capabilities(void);
/// seccomp(2): from now on the calling thread and those it starts can't execute, trace, mount, change namespaces, start
/// processes, load code into the kernel. Where the kernel can (seccomp_unotify(2)), connect(2) waits for whoever has
/// `listener`; -1 where it can't.
int clinux_confine_calls(int *listener);
/// A connect(2) that waits: the caller's thread and arguments.
struct clinux_connection {
    uint64_t id, address;
    int thread, socket;
    uint32_t size;
};
int clinux_supervise_next(int listener, struct clinux_connection *connection);
/// Fails with ENOENT when the call does not wait any more.
int clinux_supervise_valid(int listener, uint64_t id);
/// Ends it with `error`, or with success where that is 0.
int clinux_supervise_answer(int listener, uint64_t id, int error);
int clinux_pidfd_getfd(int process, int descriptor);
/// process_vm_readv(2) of one piece.
ssize_t clinux_read_memory(int thread, uint64_t address, void *bytes, size_t count);
/// mount_setattr(2); the attributes are MOUNT_ATTR_*.
int clinux_mount_setattr(int directory, const char *path, unsigned flags, uint64_t set, uint64_t clear);
/// fork(2), which the module map hides: only for a process of one thread.
int clinux_fork(void);

/// Starts a process that reads a terminal's master side, and throws away what comes, until the last holder of the other
/// side is gone. For a caller of one thread that is about to end.
int clinux_drain_aside(int terminal);

/// Gives back the pages of the program's own code and constants; they are read again where they are needed. The kernel
/// reads ahead, so a process that waits all its life would keep some 1.5 MB of a static executable.
void clinux_forget_code(void);

/// The argument number `index` of this process, NULL behind the last.
const char *clinux_argument(int index);
/// Runs `body` on a new thread and waits for its end, in C alone. Returns 0 or pthread_create(3)'s error.
int clinux_run_on_thread(void *(*body)(void *), void *context);
enum { CLINUX_MAX_DESCRIPTORS = 16 };

/// sendmsg(2) with MSG_NOSIGNAL and descriptors; EINVAL when there are too many.
ssize_t clinux_send_descriptors(int socket, const void *bytes, size_t count, int flags, const int *descriptors,
                                int descriptor_count);
/// The same with one descriptor, or none where it is -1.
ssize_t clinux_send(int socket, const void *bytes, size_t count, int flags, int descriptor);
/// The parts of a `struct sockaddr_in` or `sockaddr_in6`: the address's length, 4 or 16, or 0 where it is another.
unsigned clinux_address(const void *name, size_t size, uint8_t *bytes, uint16_t *port);
/// connect(2) to a `struct sockaddr` of any family, which the module map has as a union.
int clinux_connect(int socket, const void *name, size_t size);
/// recvmsg(2); `descriptor` is what came with the bytes, close-on-exec, or -1.
ssize_t clinux_receive(int socket, void *bytes, size_t count, int flags, int *descriptor);

enum { CLINUX_RESOLVE_NO_XDEV = 1, CLINUX_RESOLVE_NO_MAGICLINKS = 2, CLINUX_RESOLVE_NO_SYMLINKS = 4,
       CLINUX_RESOLVE_BENEATH = 8, CLINUX_RESOLVE_IN_ROOT = 16 };

#endif
