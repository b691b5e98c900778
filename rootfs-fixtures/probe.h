// Shared by the parts of the probe.
#ifndef PROBE_H
#define PROBE_H

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/// `ok` for 0, else such as `EPERM`.
const char *error_name(int error);
/// `call.NAME=` and the errno of system calls that a container should or should not have.
void print_calls(void);
/// `path.PATH=` and what can be done with files that show or change the host.
void print_paths(void);
/// Does what the arguments say; the result is the exit status.
int act(int argc, char **argv, char **envp);
/// The same for what a hostile container does; the last to be asked.
int attack(int argc, char **argv);

#endif
