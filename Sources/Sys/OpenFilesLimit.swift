internal import Glibc

/// How many files this process may have open (getrlimit(2)).
package enum OpenFilesLimit {
    /// As many as it may ask for: each layer of an image holds a descriptor, and an image has up to 500.
    package static func raise() {
        var limit = rlimit()
        guard getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0 else { return }
        limit.rlim_cur = limit.rlim_max
        setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
    }
}
