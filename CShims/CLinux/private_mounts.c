#include "CLinux.h"

#include <errno.h>
#include <pthread.h>

struct job {
    void (*body)(void *);
    void *context;
    int error;
};

static void *run(void *argument) {
    struct job *job = argument;
    // CLONE_FS too: a mount namespace can't be left while other threads share the root and working directory.
    if (unshare(CLONE_FS | CLONE_NEWNS) != 0 || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) != 0) {
        job->error = errno;
    } else {
        job->body(job->context);
    }
    return NULL;
}

int clinux_with_private_mounts(void (*body)(void *), void *context) {
    struct job job = {.body = body, .context = context};
    pthread_t thread;
    int error = pthread_create(&thread, NULL, run, &job);
    if (error == 0) error = pthread_join(thread, NULL);
    errno = error != 0 ? error : job.error;
    return errno == 0 ? 0 : -1;
}
