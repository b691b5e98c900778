#ifndef CINIT_H
#define CINIT_H
int cinit_version(void);
#endif
