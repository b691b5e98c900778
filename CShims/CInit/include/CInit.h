// The launch of a container as data: Swift compiles a plan, the child interprets it. Between clone3 and exec the child
// shares the heap and the locks of a process with other threads, so it makes raw system calls only: no malloc, no
// stdio, no errno, no glibc wrapper that walks the thread list (setresuid and its kin).
#ifndef CINIT_H
#define CINIT_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/// What an operation does; the operands it reads are named behind it. `dir` -1 stands for the host's own view.
enum cinit_code {
    CINIT_AWAIT = 1,     // blocks until the parent releases the child; a: one of cinit_await
    CINIT_JOIN_CGROUP,   // by the task files of the start's arguments
    CINIT_UNSHARE,       // a: CLONE_NEW*
    CINIT_SETNS,         // path: a namespace file; a: CLONE_NEW*
    CINIT_JOIN,          // a: CLONE_NEW* of the process targets[b], at once; slot, if any, <- the root of its mounts
    CINIT_PRIVATE,       // makes every mount of the namespace private; a: MS_* of another kind of propagation
    CINIT_CHDIR,         // path: in the host's view
    CINIT_OPEN,          // slot <- dir/path, flags; a: open flags
    CINIT_NULL_DEVICE,   // slot <- dir/path, which must be character device 1:3; a: open flags
    CINIT_CLONE_TREE,    // slot <- a copy of the mount at dir/path (path 0: of the descriptor itself); a: AT_RECURSIVE
    CINIT_BORROW,        // slot <- a copy of what targets[b] has mounted at path; a: its statfs(2) type, or 0
    CINIT_FILESYSTEM,    // slot <- new file system; path: type; text: options; a: MOUNT_ATTR_*
    CINIT_MOUNT,         // mount(2) of an overlay at path; text: option string; a: MS_*
    CINIT_ATTRIBUTES,    // slot; a: set; b: clear; c: propagation (MS_*); flags: RECURSIVE
    CINIT_ATTACH,        // slot mounted at dir/path; flags
    CINIT_MAKE_PATH,     // dir/path made as a directory where it is missing
    CINIT_NODE,          // dir/path; a: mode with type; b: dev_t; c: uid | gid << 32
    CINIT_LINK,          // dir/path -> text
    CINIT_WRITE,         // text written to the existing dir/path, no link followed, on the same mount
    CINIT_MASK,          // dir/path covered by slot (file) or slot a (directory); flags
    CINIT_READ_ONLY,     // dir/path covered by a read-only copy of itself; flags
    CINIT_PTY,           // dir: a devpts; slot <- terminal; a: rows | columns << 16; c: uid
    CINIT_PIVOT,         // dir: the new root
    CINIT_WORK_DIR,      // dir/path, verified to be inside the root
    CINIT_HOST_NAME,     // text; a: bytes
    CINIT_DOMAIN_NAME,   // text; a: bytes
    CINIT_LOOPBACK,      // brings lo up
    CINIT_LIMIT,         // a: RLIMIT_*; b: soft; c: hard
    CINIT_KEYRING,       // text: name of the new session keyring
    CINIT_STDIO,         // a, b, c: descriptors for 0, 1, 2, -1 takes slot; upper half of c: uid that pipes are given to
    CINIT_TERMINAL,      // slot: becomes 0, 1, 2, and with a: 1 the controlling terminal
    CINIT_BOUNDING,      // a: capability mask
    CINIT_GROUPS,        // text: u32 array; a: count
    CINIT_IDS,           // a: uid; b: gid
    CINIT_CAPABILITIES,  // a: effective; b: permitted; c: inheritable
    CINIT_AMBIENT,       // a: capability mask
    CINIT_NO_NEW_PRIVILEGES,
    CINIT_SECCOMP,       // text: BPF; a: instructions; b: SECCOMP_FILTER_FLAG_*
    CINIT_PARENT_DEATH,  // a: signal, 0 for none
    CINIT_UMASK,         // a: mask
    CINIT_BECOME_ROOT,   // user and group 0 of a user namespace, without other groups
    CINIT_CHROOT,        // dir: the new root, in a mount namespace that has others in it
    CINIT_MOVE_ROOT,     // dir: the new root, moved over the old one
    CINIT_INHERIT,       // slot <- inherited[a]
    CINIT_COPY_UP,       // slot, an empty file system <- what is in dir/path
    CINIT_RECONFIGURE,   // the file system at dir/path; text: options
    CINIT_LABEL,         // text written to slot, which must be on procfs
    CINIT_IO_PRIORITY,   // a: ioprio_set(2)
    CINIT_SCHEDULER,     // text: struct sched_attr
    CINIT_PERSONALITY,   // a: personality(2)
    CINIT_AFFINITY,      // text: bits of CPUs; a: bytes; b: 1 where CPUs out of reach are no error
    CINIT_SEAL_DESCRIPTORS,  // all above 2 and a: more close at exec; the report socket moves there, b and c, if any, behind
    CINIT_EXEC,          // the stub, which runs argv
};

enum cinit_flags {
    CINIT_NO_LINKS = 1,        // no symbolic link in the path
    CINIT_MAKE_DIRECTORY = 2,  // missing target is made as a directory
    CINIT_MAKE_LIKE = 4,       // missing target is made as a directory or a file, as the mount is
    CINIT_NOT_PROC = 8,        // a target on procfs is refused
    CINIT_RECURSIVE = 16,
    CINIT_SAME_MOUNT = 32,     // the path may not cross a mount
    CINIT_DIRECTORY = 64,      // the target must be a directory
    CINIT_HOST_TERMINAL = 128, // a terminal of the host's devpts, by /dev/ptmx
    CINIT_ITSELF = 256,        // what covers a directory is not copied but mounted there itself
};

enum cinit_await {
    CINIT_AWAIT_MAPPED = 1,  // as the first operation: until then an ordinary user may write to its files in /proc (proc(5))
    CINIT_AWAIT_HOOKS = 2,   // says first that it waits
};

/// Where inside an operation it failed; Swift has the words.
enum cinit_call {
    CINIT_AT_CALL = 0,  // the one system call of the operation
    CINIT_AT_OPEN,
    CINIT_AT_MAKE,
    CINIT_AT_VERIFY,
    CINIT_AT_FSOPEN,
    CINIT_AT_FSCONFIG,
    CINIT_AT_FSCREATE,
    CINIT_AT_FSMOUNT,
    CINIT_AT_OPEN_TREE,
    CINIT_AT_SETATTR,
    CINIT_AT_MOVE,
    CINIT_AT_WRITE,
    CINIT_AT_UNMOUNT,
    CINIT_AT_SEND,
    CINIT_AT_OWNER,
    CINIT_AT_LOOKUP,     // stub: no such name in PATH
    CINIT_AT_STAT,       // stub: no such file
    CINIT_AT_EXEC,       // stub: execve of an existing file
    CINIT_AT_CLONE,      // stub: the process in the joined pid namespace
    CINIT_AT_CONTROL,    // stub: its controlling terminal
};

/// All offsets are from the start of the plan; every string ends with NUL inside it. 0 is the empty string.
struct cinit_op {
    uint16_t code;
    uint16_t flags;
    int16_t slot;
    int16_t dir;
    uint32_t path;
    uint32_t text;
    uint64_t a;
    uint64_t b;
    uint64_t c;
};

enum { CINIT_MAGIC = 0x52494e31, CINIT_MAX_SLOTS = 768, CINIT_REPORT_FD = 3, CINIT_MAX_TEXT = 512 };
/// To a supervising stub without namespaces: kill all below, and leave. Nobody else sends the last real-time signal.
enum { CINIT_END_SIGNAL = 64 };
/// Before a variable that is not for the program above the guarding stub.
enum { CINIT_HIDDEN_VARIABLE = 1 };
enum { CINIT_MAX_TASKS = 32, CINIT_MAX_TARGETS = 4, CINIT_MAX_JOINED = 8, CINIT_MAX_INHERITED = 256 };

struct cinit_plan {
    uint32_t magic;
    uint32_t size;
    uint32_t op_count;
    uint32_t ops;   // offset of struct cinit_op[op_count], 8-aligned
    uint32_t argc;
    uint32_t argv;  // offset of u64[argc + 1], each an offset, the last 0; 8-aligned
    uint32_t envc;
    uint32_t envp;
    uint64_t clone_flags;
};

/// What comes over the report socket, one a packet, followed by up to CINIT_MAX_TEXT bytes of text (the kernel's own
/// words on a mount, or the path that exec tried).
struct cinit_report {
    uint32_t kind;
    uint32_t call;
    uint32_t op;
    int32_t error;
};

enum cinit_report_kind {
    CINIT_FAILURE = 1,
    CINIT_TERMINAL_MASTER = 2,
    CINIT_EXEC_FAILURE = 3,
    CINIT_SUCCESSOR = 4,  // comes with a pidfd; that process waits for a release of its own
    CINIT_EXECUTED = 5,   // the command runs, below a program that keeps this socket open
    CINIT_HELD = 6,       // all is made; the stub waits for a byte from its gate
    CINIT_WAITS = 7,      // the child is at a CINIT_AWAIT that says so
    CINIT_SECCOMP_LISTENER = 8,
};

/// Behind the report socket, the descriptors of a gate: a byte from the first one starts the command, and what keeps it
/// from being executed is written to the second.
enum { CINIT_GATE_START = 1, CINIT_GATE_REPORT = 2, CINIT_MAX_KEPT = 4096 };

/// What the process between caller and child leaves behind, in memory that they share.
struct cinit_between {
    int pid;    // of the child, or -errno
    int pidfd;
    int stage;  // the index in `joined` at which it failed, or one of these
};

enum { CINIT_STAGE_CLOCKS = -1, CINIT_STAGE_CLONE = -2 };

/// When the child was where, in memory that it shares with the caller: CLOCK_MONOTONIC in nanoseconds, 0 while it is not
/// there yet.
struct cinit_clock {
    int64_t begun;     // runs its first operation
    int64_t rooted;    // all is mounted, the root is entered
    int64_t executed;  // its last operation is next: exec
};

/// What cinit_start needs beside the plan. Descriptors are numbers of the caller, 10 or above.
struct cinit_start_arguments {
    int child_socket;  // the child's end of a SOCK_SEQPACKET pair
    int parent_socket; // closed in the child, so that a dead parent is seen
    int stub;          // sealed memfd of cinit_make_stub
    int pid_namespace; // to join, or -1
    int target_count;
    int targets[CINIT_MAX_TARGETS];  // pidfds of processes whose namespaces are joined
    int cgroup;        // directory for CLONE_INTO_CGROUP, or -1
    int task_count;
    int tasks[CINIT_MAX_TASKS];  // cgroup v1 `tasks` files to write "0" into
    int inherited_count;
    int inherited[CINIT_MAX_INHERITED];  // for CINIT_INHERIT
    struct cinit_between *between;       // NULL: the caller itself makes the child, and the rest is not looked at
    const char *time_offsets;            // for /proc/self/timens_offsets of a new time namespace, or NULL
    int joined_count;
    int joined[CINIT_MAX_JOINED];        // namespaces
    int joined_kinds[CINIT_MAX_JOINED];  // CLONE_NEW* of each
    struct cinit_clock *clock;           // or NULL
};

/// 0 when every offset and slot of the plan is in range, EINVAL otherwise.
int cinit_check(const void *plan, size_t size);

/// Clones the child, which interprets `plan` (checked, 8-aligned, not used by the caller any more). Returns the pid
/// and stores the pidfd, or -errno.
pid_t cinit_start(void *plan, const struct cinit_start_arguments *arguments, int *pidfd);

/// For `between`; NULL with errno. A child whose start is under way does not need it any more.
struct cinit_between *cinit_make_between(void);
void cinit_drop_between(struct cinit_between *between);

/// For `clock`; NULL with errno.
struct cinit_clock *cinit_make_clock(void);
void cinit_drop_clock(struct cinit_clock *clock);

/// A descriptor of a new user namespace with these maps (user_namespaces(7)) and no process in it, or -errno.
int cinit_user_namespace(const char *uid_map, const char *gid_map);

/// A copy of the mount at `source`, with `recursive` of those below, that nobody sees yet. Its owners are those of the
/// user namespace, with `maps_below` also on the mounts below; with -1 they stay. -errno on failure.
int cinit_copy_mount(const char *source, int recursive, int maps_below, int namespace);

/// A monitor for a start that is to outlive the caller.
struct cinit_monitor {
    char *const *argv;  // of the caller's own executable; argv[0] decides what it becomes
    int control;        // its end of a cinit_socket_pair: the child's pid comes back as an int with the pidfd, or -errno
    int lock;           // kept open
    int kept;           // so is this one, -1 for none
    int takes_orphans;  // whether what the child leaves behind becomes the monitor's child
};

/// As cinit_start, in a process of its own that clones the child and becomes the monitor: it executes /proc/self/exe in a
/// session of its own with /dev/null as 0 to 2, then `control`, the child's pidfd, `lock` and, if any, `kept`. The child does not start
/// unless that is told: until its exec it dies with the monitor. Returns the monitor's pid, to be waited for, or -errno.
pid_t cinit_start_monitored(
    void *plan, const struct cinit_start_arguments *arguments, const struct cinit_monitor *monitor);

/// A close-on-exec SOCK_SEQPACKET pair with numbers of 10 and above, or -1 with errno.
int cinit_socket_pair(int *child, int *parent);

/// A sealed memfd holding the program that runs as the container's first: never a file of the host, so that no
/// container can write to one through /proc/self/exe. -errno on failure.
int cinit_make_stub(void);

/// Receives one packet into `buffer`; `descriptor` gets what came with it, or -1. 0 is end-of-file. Without `wait`,
/// EAGAIN when there is none.
ssize_t cinit_receive(int socket, void *buffer, size_t size, int *descriptor, int wait);

/// Lets the child go on. -1 with errno; EPIPE when it is not there any more.
ssize_t cinit_release(int socket);

#endif
