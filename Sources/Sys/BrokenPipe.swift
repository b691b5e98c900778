internal import CLinux
internal import Glibc

/// For libraries that write to sockets without MSG_NOSIGNAL: what SIGPIPE does to the process is not theirs to change.
package enum BrokenPipe {
    /// Calls with SIGPIPE blocked in this thread, and takes one that came meanwhile (signal(7): SIGPIPE is sent to the
    /// thread that wrote).
    package static func ignoring<Result>(_ body: () -> Result) -> Result {
        var set = sigset_t()
        var old = sigset_t()
        sigemptyset(&set)
        sigaddset(&set, SIGPIPE)
        pthread_sigmask(SIG_BLOCK, &set, &old)
        defer { pthread_sigmask(SIG_SETMASK, &old, nil) }
        let result = body()
        if sigismember(&old, SIGPIPE) == 0 {
            var none = timespec()
            sigtimedwait(&set, nil, &none)
        }
        return result
    }
}
