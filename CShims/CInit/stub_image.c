// Writes the stub as an executable of one segment into a memfd that nobody can change afterwards.
#define _GNU_SOURCE
#include "CInit.h"
#include "stub.h"

#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#ifndef MFD_EXEC
#define MFD_EXEC 0x10U
#endif
#ifndef F_SEAL_EXEC
#define F_SEAL_EXEC 0x20
#endif

// The linker names both ends of a section whose name is a C identifier.
extern const char stub_start[] __asm__("__start_cinit_stub") HIDDEN;
extern const char stub_stop[] __asm__("__stop_cinit_stub") HIDDEN;

enum { LOAD_ADDRESS = 0x400000, PAGE = 0x10000 };

#if defined(__x86_64__)
enum { MACHINE = EM_X86_64 };
#elif defined(__aarch64__)
enum { MACHINE = EM_AARCH64 };
#endif

struct image {
    Elf64_Ehdr header;
    Elf64_Phdr segments[2];
    char padding[16];
};

_Static_assert(sizeof(struct image) % 16 == 0, "code must stay aligned");

static void describe(struct image *image, size_t code) {
    uint64_t entry = (uint64_t)((const char *)cinit_stub_entry - stub_start);
    memset(image, 0, sizeof *image);
    memcpy(image->header.e_ident, ELFMAG, SELFMAG);
    image->header.e_ident[EI_CLASS] = ELFCLASS64;
    image->header.e_ident[EI_DATA] = ELFDATA2LSB;
    image->header.e_ident[EI_VERSION] = EV_CURRENT;
    image->header.e_type = ET_EXEC;
    image->header.e_machine = MACHINE;
    image->header.e_version = EV_CURRENT;
    image->header.e_entry = LOAD_ADDRESS + sizeof *image + entry;
    image->header.e_phoff = offsetof(struct image, segments);
    image->header.e_ehsize = sizeof image->header;
    image->header.e_phentsize = sizeof image->segments[0];
    image->header.e_phnum = 2;
    image->segments[0] = (Elf64_Phdr){.p_type = PT_LOAD,
                                      .p_flags = PF_R | PF_X,
                                      .p_vaddr = LOAD_ADDRESS,
                                      .p_paddr = LOAD_ADDRESS,
                                      .p_filesz = sizeof *image + code,
                                      .p_memsz = sizeof *image + code,
                                      .p_align = PAGE};
    image->segments[1] = (Elf64_Phdr){.p_type = PT_GNU_STACK, .p_flags = PF_R | PF_W, .p_align = 16};
}

static int write_all(int fd, const void *bytes, size_t count) {
    for (const char *at = bytes; count;) {
        ssize_t written = write(fd, at, count);
        if (written < 0 && errno == EINTR) continue;
        if (written <= 0) return -1;
        at += written;
        count -= (size_t)written;
    }
    return 0;
}

int cinit_make_stub(void) {
    struct image image;
    size_t code = (size_t)(stub_stop - stub_start);
    describe(&image, code);
    int seals = F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE | F_SEAL_EXEC;
    int fd = memfd_create("runimg-init", MFD_CLOEXEC | MFD_ALLOW_SEALING | MFD_EXEC);
    if (fd < 0 && errno == EINVAL) {
        // Both are of Linux 6.3; MFD_EXEC is needed there where vm.memfd_noexec is set.
        fd = memfd_create("runimg-init", MFD_CLOEXEC | MFD_ALLOW_SEALING);
        seals &= ~F_SEAL_EXEC;
    }
    if (fd < 0) return -errno;
    // 10 and above: 0 to 3 are laid out anew in the child.
    int high = fcntl(fd, F_DUPFD_CLOEXEC, 10);
    if (high < 0 || write_all(fd, &image, sizeof image) || write_all(fd, stub_start, code) || fchmod(fd, 0555) ||
        fcntl(fd, F_ADD_SEALS, seals)) {
        int error = errno;
        if (high >= 0) close(high);
        close(fd);
        return -error;
    }
    close(fd);
    return high;
}
