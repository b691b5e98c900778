// The process's arguments, as the C library hands them to whoever starts first.
#include "CLinux.h"

static char *const *first_argument;

__attribute__((constructor)) static void keep_arguments(int argc, char **argv) {
    (void)argc;
    first_argument = argv;
}

const char *clinux_argument(int index) { return first_argument ? first_argument[index] : 0; }
