// What a process that only waits needs no more.
#include "CLinux.h"

#include <link.h>
#include <sys/mman.h>

static int forget_segments(struct dl_phdr_info *info, size_t size, void *context) {
    (void)size, (void)context;
    long page = sysconf(_SC_PAGESIZE);
    for (int i = 0; i < info->dlpi_phnum; i++) {
        const ElfW(Phdr) *segment = &info->dlpi_phdr[i];
        // A written page has no other copy.
        if (segment->p_type != PT_LOAD || (segment->p_flags & PF_W)) continue;
        uintptr_t start = (info->dlpi_addr + segment->p_vaddr) & ~(uintptr_t)(page - 1);
        madvise((void *)start, info->dlpi_addr + segment->p_vaddr + segment->p_memsz - start, MADV_DONTNEED);
    }
    return 0;
}

void clinux_forget_code(void) { dl_iterate_phdr(forget_segments, NULL); }
