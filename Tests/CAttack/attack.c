#include "CAttack.h"

#include <errno.h>
#include <sys/syscall.h>
#include <unistd.h>

long cattack_call(long number, long a, long b, long c, long d, long e, long f) {
    long result = syscall(number, a, b, c, d, e, f);
    // A child that should never have been made.
    if ((number == SYS_clone || number == cattack_number_fork()) && result == 0) _exit(0);
    return result == -1 ? -errno : result;
}

long cattack_number_fork(void) {
#if defined(__x86_64__)
    return SYS_fork;
#else
    return -1;
#endif
}

long cattack_number_x32_getpid(void) {
#if defined(__x86_64__)
    return 0x40000000 + SYS_getpid;
#else
    return -1;
#endif
}
