// What the probe does when told to.
#define _GNU_SOURCE
#include "probe.h"

#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <termios.h>
#include <time.h>

static void pause_for(double seconds) {
    struct timespec time = {(time_t)seconds, (long)((seconds - (double)(time_t)seconds) * 1e9)};
    while (nanosleep(&time, &time) != 0 && errno == EINTR) {}
}

/// Takes that many MiB, page by page, and says so.
static int eat(const char *amount) {
    long total = atol(amount);
    for (long i = 0; i < total; i++) {
        char *block = mmap(NULL, 1 << 20, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        if (block == MAP_FAILED) return printf("eaten=%ld %s\n", i, error_name(errno)), 1;
        memset(block, 1, 1 << 20);
    }
    printf("eaten=%ld\n", total);
    return 0;
}

static int spin(const char *seconds) {
    struct timespec start, now;
    clock_gettime(CLOCK_MONOTONIC, &start);
    do clock_gettime(CLOCK_MONOTONIC, &now);
    while ((double)(now.tv_sec - start.tv_sec) + (double)(now.tv_nsec - start.tv_nsec) / 1e9 < atof(seconds));
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    printf("cpu_milliseconds=%lld\n", (long long)now.tv_sec * 1000 + now.tv_nsec / 1000000);
    return 0;
}

/// How many of N children could be made at once.
static int fork_many(const char *amount) {
    static pid_t children[65536];
    int wanted = atoi(amount), made = 0, error = 0;
    while (made < wanted && made < (int)(sizeof children / sizeof *children)) {
        pid_t child = fork();
        if (child == 0) {
            pause();
            _exit(0);
        }
        if (child < 0) {
            error = errno;
            break;
        }
        children[made++] = child;
    }
    for (int i = 0; i < made; i++) kill(children[i], SIGKILL);
    for (int i = 0; i < made; i++) waitpid(children[i], NULL, 0);
    printf("forked=%d %s\n", made, error_name(error));
    return 0;
}

static volatile sig_atomic_t received[65];

static void note(int number) { received[number] = 1; }

static void report_one(int number) {
    struct winsize size;
    if (number == SIGWINCH && ioctl(0, TIOCGWINSZ, &size) == 0) printf("winsize=%dx%d\n", size.ws_row, size.ws_col);
    const char *name = sigabbrev_np(number);
    printf("signal=%s\n", name ? name : "RT");
}

/// Prints each signal that comes; SIGTERM is the last one.
static int report_signals(void) {
    struct sigaction action = {.sa_handler = note};
    sigset_t all, old;
    sigfillset(&all);
    sigprocmask(SIG_BLOCK, &all, &old);
    for (int number = 1; number < 65; number++)
        if (number != SIGCHLD && number != SIGSEGV) sigaction(number, &action, NULL);
    printf("ready\n");
    while (!received[SIGTERM]) {
        sigsuspend(&old);
        for (int number = 1; number < 65; number++) {
            if (!received[number]) continue;
            report_one(number);
            if (number != SIGTERM) received[number] = 0;
        }
    }
    return 0;
}

/// Leaves an orphan that ends at once, and says whether whoever is process 1 reaps it.
static int orphan(void) {
    int ends[2];
    if (pipe2(ends, O_CLOEXEC) != 0) return 1;
    pid_t child = fork();
    if (child == 0) {
        pid_t grandchild = fork();
        if (grandchild == 0) {
            pause_for(0.2);
            _exit(0);
        }
        if (write(ends[1], &grandchild, sizeof grandchild) < 0) _exit(1);
        _exit(0);
    }
    waitpid(child, NULL, 0);
    pid_t grandchild = 0;
    if (read(ends[0], &grandchild, sizeof grandchild) < 0) return 1;
    pause_for(0.6);
    printf("orphan=%s\n", kill(grandchild, 0) == 0 ? "zombie" : "reaped");
    return 0;
}

/// Keeps a descriptor of another process's executable and tries for two seconds to write to it (CVE-2019-5736).
static int write_executable(const char *path) {
    int held = open(path, O_PATH | O_CLOEXEC);
    if (held < 0) return printf("open=%s\n", error_name(errno)), 0;
    char name[64];
    snprintf(name, sizeof name, "/proc/self/fd/%d", held);
    int error = 0;
    for (int i = 0; i < 200; i++) {
        int fd = open(name, O_WRONLY | O_CLOEXEC);
        if (fd >= 0) return printf("write=ok\n"), 0;
        error = errno;
        pause_for(0.01);
    }
    printf("write=%s\n", error_name(error));
    return 0;
}

/// What the clocks that a time namespace may shift say (time_namespaces(7)).
static int print_clocks(void) {
    struct timespec monotonic, boottime;
    clock_gettime(CLOCK_MONOTONIC, &monotonic);
    clock_gettime(CLOCK_BOOTTIME, &boottime);
    printf("monotonic=%lld\nboottime=%lld\n", (long long)monotonic.tv_sec, (long long)boottime.tv_sec);
    return 0;
}

static int raise_signal(const char *number) {
    int wanted = atoi(number);
    signal(wanted, SIG_DFL);
    // Process 1 of a PID namespace is not ended by its own signals; a child is, and passes the number on.
    kill(getpid(), wanted);
    pid_t child = fork();
    if (child == 0) {
        kill(getpid(), wanted);
        pause();
    }
    int status = 0;
    waitpid(child, &status, 0);
    return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : 1;
}

int act(int argc, char **argv, char **envp) {
    const char *verb = argv[0], *value = argc > 1 ? argv[1] : "0";
    (void)envp;
    if (!strcmp(verb, "eat")) return eat(value);
    if (!strcmp(verb, "spin")) return spin(value);
    if (!strcmp(verb, "forkbomb")) return fork_many(value);
    if (!strcmp(verb, "exit")) return atoi(value);
    if (!strcmp(verb, "kill")) return raise_signal(value);
    if (!strcmp(verb, "sleep")) return pause_for(atof(value)), 0;
    if (!strcmp(verb, "clocks")) return print_clocks();
    if (!strcmp(verb, "signals")) return report_signals();
    if (!strcmp(verb, "orphan")) return orphan();
    if (!strcmp(verb, "writeexe")) return write_executable(argc > 1 ? value : "/proc/1/exe");
    if (!strcmp(verb, "read")) {
        int fd = open(value, O_RDONLY | O_CLOEXEC);
        return printf("read=%s\n", fd < 0 ? error_name(errno) : "ok"), 0;
    }
    if (!strcmp(verb, "calls")) return print_calls(), 0;
    if (!strcmp(verb, "paths")) return print_paths(), 0;
    if (!strcmp(verb, "args")) {
        for (int i = 1; i < argc; i++) printf("arg.%d=%s\n", i, argv[i]);
        return 0;
    }
    return attack(argc, argv);
}
