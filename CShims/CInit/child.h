// What the interpreter's files share. A function returns 0 or more, or -errno with `call` saying where.
#ifndef CINIT_CHILD_H
#define CINIT_CHILD_H

#define _GNU_SOURCE
#include "CInit.h"
#include "syscalls.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/mount.h>
#include <linux/openat2.h>

struct child {
    char *base;
    const struct cinit_start_arguments *arguments;
    int report;
    int stub;
    uint32_t call;
    uint32_t text_size;
    char text[CINIT_MAX_TEXT];
    int slots[CINIT_MAX_SLOTS];
};

static inline const char *string_at(const struct child *child, uint32_t offset) { return child->base + offset; }

static inline int descriptor(const struct child *child, int slot) {
    return slot < 0 ? AT_FDCWD : child->slots[slot];
}

/// Puts `fd` in the slot; a negative one is passed through as the error it is.
static inline long fill(struct child *child, int slot, long fd) {
    if (fd < 0) return fd;
    if (child->slots[slot] >= 0) sys(close, child->slots[slot]);
    child->slots[slot] = (int)fd;
    return 0;
}

/// The pidfd of the process that a joining operation is about.
static inline long target_of(const struct child *child, const struct cinit_op *op) {
    return op->b < (uint64_t)child->arguments->target_count ? child->arguments->targets[op->b] : -EBADF;
}

/// openat2 as seen from `root`, tried again while a rename disturbs the walk of "..".
long open_in(int root, const char *path, uint64_t flags, uint64_t resolve);
long open_target(struct child *child, int root, const char *path, unsigned flags, int directory);

long op_clone_tree(struct child *child, const struct cinit_op *op);
long op_borrow(struct child *child, const struct cinit_op *op);
long op_filesystem(struct child *child, const struct cinit_op *op);
long op_mount(struct child *child, const struct cinit_op *op);
long op_attributes(struct child *child, const struct cinit_op *op);
long op_attach(struct child *child, const struct cinit_op *op);
long op_mask(struct child *child, const struct cinit_op *op);
long op_read_only(struct child *child, const struct cinit_op *op);
long op_reconfigure(struct child *child, const struct cinit_op *op);
long op_pivot(struct child *child, const struct cinit_op *op);
long op_move_root(struct child *child, const struct cinit_op *op);
long op_chroot(struct child *child, const struct cinit_op *op);
long op_copy_up(struct child *child, const struct cinit_op *op);

long op_open(struct child *child, const struct cinit_op *op);
long op_null_device(struct child *child, const struct cinit_op *op);
long op_make_path(struct child *child, const struct cinit_op *op);
long op_node(struct child *child, const struct cinit_op *op);
long op_link(struct child *child, const struct cinit_op *op);
long op_write(struct child *child, const struct cinit_op *op);
long op_label(struct child *child, const struct cinit_op *op);
long op_work_dir(struct child *child, const struct cinit_op *op);

long op_pty(struct child *child, const struct cinit_op *op);
long op_stdio(struct child *child, const struct cinit_op *op);
long op_terminal(struct child *child, const struct cinit_op *op);
long op_seal_descriptors(struct child *child, const struct cinit_op *op);

long op_bounding(const struct cinit_op *op);
long op_ids(struct child *child, const struct cinit_op *op);
long op_become_root(struct child *child);
long op_capabilities(const struct cinit_op *op);
long op_ambient(const struct cinit_op *op);
long op_seccomp(struct child *child, const struct cinit_op *op);
long op_parent_death(struct child *child, const struct cinit_op *op);
long op_loopback(void);

long send_descriptor(struct child *child, uint32_t kind, int fd);
long scheduling_op(struct child *child, const struct cinit_op *op);

#endif
