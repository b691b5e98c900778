#ifndef CINIT_STUB_H
#define CINIT_STUB_H

#include <stdint.h>

#define HIDDEN __attribute__((visibility("hidden")))

// A build of the tests has undefined behaviour trap here too; what needs a runtime library can't be.
#ifdef CINIT_TRAPPING
#define UNCHECKED no_sanitize("address", "thread")
#else
#define UNCHECKED no_sanitize("address", "thread", "undefined")
#endif

#define STUB                                                                                                          \
    __attribute__((section("cinit_stub"), optnone, noinline, used, visibility("hidden"), no_stack_protector,          \
                   UNCHECKED, no_profile_instrument_function))

enum { PATH_BYTES = 4096, EXIT_NOT_EXECUTABLE = 126, EXIT_NOT_FOUND = 127 };

HIDDEN void cinit_stub_entry(void);
HIDDEN void cinit_stub_main(long *stack);

HIDDEN void cinit_stub_leave(int code);
HIDDEN void cinit_stub_fail(int report_fd, uint32_t call, long error, const char *path);
HIDDEN int cinit_stub_is_name(const char *command);
HIDDEN const char *cinit_stub_candidate(const char *search, const char *name, char *path);
HIDDEN void cinit_stub_exec(int report_fd, const char *search, char **argv, char **envp);
HIDDEN void cinit_stub_hold(int report_fd, int looks, const char *search, char **argv, char **envp);
HIDDEN void cinit_stub_guard(const char *name, char **words, char **envp);

#endif
