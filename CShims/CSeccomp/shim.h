#include <seccomp.h>
#include <stdint.h>

#include "syscalls.h"

/// SCMP_ARCH_X32 is a sum of macros, which the importer does not take.
static const uint32_t SCMP_ARCH_X32_TOKEN = SCMP_ARCH_X32;
