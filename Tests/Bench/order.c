// Prints the functions of an executable in the order in which a command enters them, for the linker to lay them out in
// (`make order`).
//
//   order [-a] EXECUTABLE [ARGUMENT…]
//
// With -a only what processes enter that execute EXECUTABLE anew.
//
// Every function begins with a breakpoint until a process of the command first comes there. Processes that the command
// makes are followed, also where they execute EXECUTABLE anew; those that execute another program are let go. The
// command's output goes to standard error. Exits as the command did.
#define _GNU_SOURCE
#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/stat.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <unistd.h>

#ifndef __x86_64__
#error "breakpoints are written for x86_64"
#endif

enum { BREAKPOINT = 0xcc, OPTIONS = PTRACE_O_TRACEFORK | PTRACE_O_TRACEVFORK | PTRACE_O_TRACECLONE |
                                    PTRACE_O_TRACEEXEC | PTRACE_O_EXITKILL };

struct function {
    uint64_t address;
    const char *name;
    uint8_t byte;
    bool is_entered;
};

/// A process that executed it anew, the last one.
static pid_t again;
static bool only_again;

static struct stat executable;
static const uint8_t *file;
static struct function *functions;
static size_t count;
/// The segment with the code as it is once every function has its breakpoint.
static uint8_t *code;
static Elf64_Phdr segment;

static void fail(const char *format, ...) {
    int error = errno;
    va_list arguments;
    va_start(arguments, format);
    fputs("order: ", stderr);
    vfprintf(stderr, format, arguments);
    fprintf(stderr, ": %s\n", strerror(error));
    exit(125);
}

static int by_address(const void *left, const void *right) {
    uint64_t a = ((const struct function *)left)->address, b = ((const struct function *)right)->address;
    return a < b ? -1 : a > b;
}

static struct function *function_at(uint64_t address) {
    struct function key = {.address = address};
    return bsearch(&key, functions, count, sizeof key, by_address);
}

/// Notes the functions that the symbol table names, but for those whose code is copied elsewhere before it runs.
static void read_symbols(const Elf64_Ehdr *header, const Elf64_Shdr *sections, const Elf64_Shdr *table) {
    const Elf64_Sym *symbols = (const void *)(file + table->sh_offset);
    const char *names = (const char *)file + sections[table->sh_link].sh_offset;
    const char *section_names = (const char *)file + sections[header->e_shstrndx].sh_offset;
    size_t all = table->sh_size / sizeof *symbols;
    functions = calloc(all + 1, sizeof *functions);
    if (!functions) fail("allocate %zu symbols", all);
    for (size_t i = 0; i < all; i++) {
        int type = ELF64_ST_TYPE(symbols[i].st_info);
        if ((type != STT_FUNC && type != STT_GNU_IFUNC) || symbols[i].st_shndx >= header->e_shnum) continue;
        const Elf64_Shdr *section = &sections[symbols[i].st_shndx];
        if (!section->sh_addr || strcmp(section_names + section->sh_name, "cinit_stub") == 0) continue;
        uint64_t address = symbols[i].st_value;
        if (address - segment.p_vaddr >= segment.p_filesz) continue;
        functions[count++] = (struct function){.address = address, .name = names + symbols[i].st_name};
    }
    qsort(functions, count, sizeof *functions, by_address);
    size_t kept = 0;
    for (size_t i = 0; i < count; i++)
        if (!kept || functions[kept - 1].address != functions[i].address) functions[kept++] = functions[i];
    count = kept;
}

static void read_executable(const char *path) {
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0 || fstat(fd, &executable)) fail("open %s", path);
    file = mmap(NULL, (size_t)executable.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
    if (file == MAP_FAILED) fail("map %s", path);
    const Elf64_Ehdr *header = (const void *)file;
    const Elf64_Phdr *segments = (const void *)(file + header->e_phoff);
    const Elf64_Shdr *sections = (const void *)(file + header->e_shoff);
    for (int i = 0; i < header->e_phnum; i++)
        if (segments[i].p_type == PT_LOAD && (segments[i].p_flags & PF_X)) segment = segments[i];
    for (int i = 0; i < header->e_shnum; i++)
        if (sections[i].sh_type == SHT_SYMTAB) read_symbols(header, sections, &sections[i]);
    errno = ENOEXEC;
    if (header->e_type != ET_EXEC || !count) fail("%s is not linked to fixed addresses, or has no symbols", path);
    code = malloc(segment.p_filesz);
    if (!code) fail("allocate %zu bytes", (size_t)segment.p_filesz);
    memcpy(code, file + segment.p_offset, segment.p_filesz);
    for (size_t i = 0; i < count; i++) {
        uint8_t *at = code + (functions[i].address - segment.p_vaddr);
        functions[i].byte = *at;
        *at = BREAKPOINT;
    }
    close(fd);
}

static void write_code(pid_t pid, uint64_t address, const void *bytes, size_t size) {
    char path[32];
    snprintf(path, sizeof path, "/proc/%d/mem", pid);
    int fd = open(path, O_WRONLY | O_CLOEXEC);
    if (fd < 0 || pwrite(fd, bytes, size, (off_t)address) != (ssize_t)size) fail("write %s", path);
    close(fd);
}

/// Whether `pid` has just executed the executable, which has its breakpoints then.
static bool prepare(pid_t pid) {
    char path[32];
    struct stat now;
    snprintf(path, sizeof path, "/proc/%d/exe", pid);
    if (stat(path, &now) || now.st_ino != executable.st_ino || now.st_dev != executable.st_dev) return false;
    write_code(pid, segment.p_vaddr, code, segment.p_filesz);
    return true;
}

/// Takes the breakpoint away at which `pid` has stopped; false if it has not stopped at one of ours. Processes that
/// share memory may have come to it together.
static bool pass(pid_t pid) {
    struct user_regs_struct registers;
    if (ptrace(PTRACE_GETREGS, pid, NULL, &registers)) return false;
    struct function *function = function_at(registers.rip - 1);
    if (!function) return false;
    if (!only_again || pid == again) {
        if (!function->is_entered) puts(function->name);
        function->is_entered = true;
    }
    write_code(pid, function->address, &function->byte, 1);
    registers.rip--;
    return ptrace(PTRACE_SETREGS, pid, NULL, &registers) == 0;
}

/// Lets a stopped process of `first`'s go on.
static void go_on(pid_t pid, pid_t first, int status) {
    int signal = WSTOPSIG(status), event = status >> 16;
    bool is_ours = event != PTRACE_EVENT_EXEC || prepare(pid);
    if (event == PTRACE_EVENT_EXEC && is_ours && pid != first) again = pid;
    if (!is_ours) {
        ptrace(PTRACE_DETACH, pid, NULL, 0);
    } else if (event == PTRACE_EVENT_STOP && signal != SIGTRAP) {
        ptrace(PTRACE_LISTEN, pid, NULL, 0);
    } else {
        if (event || (signal == SIGTRAP && pass(pid))) signal = 0;
        ptrace(PTRACE_CONT, pid, NULL, signal);
    }
}

int main(int argc, char **argv) {
    only_again = argc > 1 && strcmp(argv[1], "-a") == 0;
    if (only_again) argv++, argc--;
    if (argc < 2) return fputs("usage: order [-a] EXECUTABLE [ARGUMENT…]\n", stderr), 125;
    read_executable(argv[1]);
    pid_t child = fork();
    if (child < 0) fail("fork");
    if (child == 0) {
        raise(SIGSTOP);
        dup2(STDERR_FILENO, STDOUT_FILENO);
        execv(argv[1], argv + 1);
        fail("execute %s", argv[1]);
    }
    int status, result = 125;
    if (waitpid(child, &status, WUNTRACED) != child || ptrace(PTRACE_SEIZE, child, NULL, OPTIONS)) fail("trace");
    kill(child, SIGCONT);
    for (pid_t pid; (pid = waitpid(-1, &status, __WALL)) > 0;) {
        if (WIFSTOPPED(status)) go_on(pid, child, status);
        else if (pid == child) result = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
    }
    return result;
}
