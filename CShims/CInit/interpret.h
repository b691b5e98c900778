#ifndef CINIT_INTERPRET_H
#define CINIT_INTERPRET_H

#include "CInit.h"

void __attribute__((noreturn)) cinit_interpret(void *plan, const struct cinit_start_arguments *arguments);

#endif
