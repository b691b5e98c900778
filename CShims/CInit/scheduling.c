// When and where the process runs.
#include "child.h"

#include <linux/ioprio.h>
#include <sched.h>

/// The array of bits is as long as the kernel's own may get; bits without a CPU do not matter to it. With `b`, CPUs that
/// the process may not use leave it where it is.
static long op_affinity(struct child *child, const struct cinit_op *op) {
    long error = sys(sched_setaffinity, 0, op->a, string_at(child, op->text));
    return error == -EINVAL && op->b ? 0 : error;
}

long scheduling_op(struct child *child, const struct cinit_op *op) {
    switch (op->code) {
    case CINIT_IO_PRIORITY: return sys(ioprio_set, IOPRIO_WHO_PROCESS, 0, op->a);
    case CINIT_SCHEDULER: return sys(sched_setattr, 0, string_at(child, op->text), 0);
    case CINIT_PERSONALITY: {
        long before = sys(personality, op->a);
        return before < 0 ? before : 0;
    }
    case CINIT_AFFINITY: return op_affinity(child, op);
    default: return -ENOSYS;
    }
}
