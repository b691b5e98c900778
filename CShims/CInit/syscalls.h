// Raw system calls: the result is negative errno on failure, and no thread-local variable is touched.
#ifndef CINIT_SYSCALLS_H
#define CINIT_SYSCALLS_H

#include <sys/syscall.h>

#if defined(__x86_64__)
static inline __attribute__((always_inline)) long raw_syscall(long number, long a, long b, long c, long d, long e,
                                                              long f) {
    register long r10 __asm__("r10") = d;
    register long r8 __asm__("r8") = e;
    register long r9 __asm__("r9") = f;
    long result;
    __asm__ volatile("syscall"
                     : "=a"(result)
                     : "a"(number), "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8), "r"(r9)
                     : "rcx", "r11", "memory");
    return result;
}
#elif defined(__aarch64__)
static inline __attribute__((always_inline)) long raw_syscall(long number, long a, long b, long c, long d, long e,
                                                              long f) {
    register long x8 __asm__("x8") = number;
    register long x0 __asm__("x0") = a;
    register long x1 __asm__("x1") = b;
    register long x2 __asm__("x2") = c;
    register long x3 __asm__("x3") = d;
    register long x4 __asm__("x4") = e;
    register long x5 __asm__("x5") = f;
    __asm__ volatile("svc 0" : "+r"(x0) : "r"(x8), "r"(x1), "r"(x2), "r"(x3), "r"(x4), "r"(x5) : "memory");
    return x0;
}
#else
#error "no system call sequence for this architecture"
#endif

// sys(openat, dir, path): missing arguments are 0.
#define SYS_PADDED(number, a, b, c, d, e, f, ...)                                                                     \
    raw_syscall(number, (long)(a), (long)(b), (long)(c), (long)(d), (long)(e), (long)(f))
#define sys(name, ...) SYS_PADDED(SYS_##name, ##__VA_ARGS__, 0, 0, 0, 0, 0, 0, 0)

/// Before a user namespace is joined, in which that may be denied (user_namespaces(7), "setgroups"): the caller's groups
/// are rights on the host. Who may not give them up here has no others than he has anyway.
static inline void drop_groups(void) { sys(setgroups, 0, 0); }

#endif
