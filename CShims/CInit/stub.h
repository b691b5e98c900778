#ifndef CINIT_STUB_H
#define CINIT_STUB_H

#define HIDDEN __attribute__((visibility("hidden")))

HIDDEN void cinit_stub_entry(void);
HIDDEN void cinit_stub_main(long *stack);

#endif
