// What both ways to start a child share.
#ifndef CINIT_CLONE_H
#define CINIT_CLONE_H

#include "CInit.h"

struct clone_args;

/// Checks the plan, makes its pointers and fills in the call; `pidfd` must stay where it is until the clone. 0 or -EINVAL.
int prepare_clone(void *plan, const struct cinit_start_arguments *arguments, struct clone_args *call, int *pidfd);
long start_process(struct clone_args *call);
long clone_beyond(void *plan, const struct cinit_start_arguments *arguments, struct clone_args *call);
long clone_child(void *plan, const struct cinit_start_arguments *arguments, struct clone_args *call);

#endif
