// What the child notes its times in.
#include "CInit.h"

#include <sys/mman.h>

struct cinit_clock *cinit_make_clock(void) {
    void *page = mmap(NULL, sizeof(struct cinit_clock), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    return page == MAP_FAILED ? NULL : page;
}

void cinit_drop_clock(struct cinit_clock *clock) { munmap(clock, sizeof *clock); }
