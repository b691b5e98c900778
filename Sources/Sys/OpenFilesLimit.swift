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

    /// The same while `body` runs; what it opens stays open. A container started later has the limit of its caller.
    package static func whileRaised<T: ~Copyable, E: Error>(_ body: () throws(E) -> T) throws(E) -> T {
        var before = rlimit()
        let isKnown = getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &before) == 0
        raise()
        defer { if isKnown { setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &before) } }
        return try body()
    }
}
