// The process that holds the namespaces as long as a command or a monitor uses them. It is the same executable under
// another name, which takes over before Swift's runtime has touched a page.
#define _GNU_SOURCE
#include "CUserNamespace.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/file.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

enum { LOCK = 3, STATE = 4, OUT_OF_THE_WAY = 100 };

/// 0 to 2 are /dev/null, the two files follow; `words` closes at the exec.
static int lay_out(int lock, int state, int *words) {
    lock = fcntl(lock, F_DUPFD, OUT_OF_THE_WAY);
    state = fcntl(state, F_DUPFD, OUT_OF_THE_WAY);
    *words = fcntl(*words, F_DUPFD_CLOEXEC, OUT_OF_THE_WAY);
    int null = open("/dev/null", O_RDWR);
    if (lock < 0 || state < 0 || *words < 0 || null < 0) return -1;
    for (int fd = 0; fd < LOCK; fd++)
        if (null != fd && dup2(null, fd) < 0) return -1;
    if (dup2(lock, LOCK) < 0 || dup2(state, STATE) < 0) return -1;
    return close_range(STATE + 1, ~0U, CLOSE_RANGE_CLOEXEC);
}

static void become_keeper(int lock, int state, int words) {
    int said = getpid();
    char *arguments[] = {CUSERNS_KEEPER_NAME, NULL}, *environment[] = {NULL};
    if (write(words, &said, sizeof said) == sizeof said && chdir("/") == 0 && lay_out(lock, state, &words) == 0)
        execve("/proc/self/exe", arguments, environment);
    said = errno;
    if (write(words, &said, sizeof said) < 0) _exit(2);
    _exit(1);
}

static ssize_t read_word(int words, int *word) {
    ssize_t count;
    do count = read(words, word, sizeof *word);
    while (count < 0 && errno == EINTR);
    return count;
}

pid_t cuserns_start_keeper(int lock, int state) {
    int words[2], pid = 0, error = 0;
    if (pipe2(words, O_CLOEXEC) != 0) return -1;
    // One between, so that the keeper is no child of a command that may run for long.
    pid_t between = fork();
    if (between == 0) {
        setsid();
        pid_t keeper = fork();
        if (keeper == 0) become_keeper(lock, state, words[1]);
        _exit(keeper < 0 ? 1 : 0);
    }
    if (between < 0) error = errno;
    close(words[1]);
    while (between > 0 && waitpid(between, NULL, 0) < 0 && errno == EINTR) {}
    if (!error && read_word(words[0], &pid) != sizeof pid) error = EAGAIN;
    // End of file is the exec.
    if (!error && read_word(words[0], &error) == 0) error = 0;
    close(words[0]);
    errno = error;
    return error ? -1 : pid;
}

static int keep(void) {
    prctl(PR_SET_NAME, CUSERNS_KEEPER_NAME, 0, 0, 0);
    // A container's processes are of our user, and with --pid host see us.
    prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
    signal(SIGHUP, SIG_IGN);
    signal(SIGINT, SIG_IGN);
    signal(SIGQUIT, SIG_IGN);
    while (flock(LOCK, LOCK_EX) != 0)
        if (errno != EINTR) return 1;
    // Who waits for the lock now is not to find us.
    return ftruncate(STATE, 0) == 0 ? 0 : 1;
}

__attribute__((constructor)) static void enter(int argc, char **argv) {
    if (argc > 0 && strcmp(argv[0], CUSERNS_KEEPER_NAME) == 0) _exit(keep());
}
