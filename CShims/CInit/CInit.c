#include "CInit.h"
int cinit_version(void) { return 1; }
