internal import Glibc

/// A POSIX thread that runs one closure and must be joined: for work that overlaps with the caller's own.
package struct JoinableThread: ~Copyable, Sendable {
    private let handle: pthread_t

    /// Signals stay with the threads that expect them: the new one starts with all blocked.
    package init(_ body: @escaping @Sendable () -> Void) throws(Errno) {
        let box = Unmanaged.passRetained(Body(body))
        let masked = SignalSet.all.block()
        defer { masked.install() }
        var handle = pthread_t()
        let status = pthread_create(
            &handle, nil,
            { argument in
                guard let argument else { return nil }
                Unmanaged<Body>.fromOpaque(argument).takeRetainedValue().run()
                return nil
            }, box.toOpaque())
        if status != 0 {
            box.release()
            throw Errno(rawValue: status)
        }
        self.handle = handle
    }

    /// Waits for the closure's end. A value that is dropped without it is a thread nobody waits for.
    package consuming func join() {
        pthread_join(handle, nil)
    }

    private final class Body: Sendable {
        let run: @Sendable () -> Void
        init(_ run: @escaping @Sendable () -> Void) { self.run = run }
    }
}
