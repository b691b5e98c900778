// System calls by their numbers, as code that was taken over would make them.
#ifndef CATTACK_H
#define CATTACK_H

/// The result, or the negative errno.
long cattack_call(long number, long a, long b, long c, long d, long e, long f);

/// What only some machines have: -1 where it does not exist here.
long cattack_number_fork(void);
/// The number with the x32 bit of x86-64; -1 on other machines.
long cattack_number_x32_getpid(void);

#endif
