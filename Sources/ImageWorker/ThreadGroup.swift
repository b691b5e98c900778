internal import Sys

/// Threads that are waited for together.
final class ThreadGroup {
    private var threads: [OwnedThread] = []

    /// A box, since arrays do not hold noncopyable values.
    private final class OwnedThread {
        private var thread: JoinableThread?

        init(_ thread: consuming JoinableThread) { self.thread = consume thread }

        func join() {
            guard let thread = thread.take() else { return }
            thread.join()
        }
    }

    func start(_ body: @escaping @Sendable () -> Void) throws(Errno) {
        threads.append(OwnedThread(try JoinableThread(body)))
    }

    func join() {
        for thread in threads { thread.join() }
        threads = []
    }
}

/// A short sleep (nanosleep(2)).
enum Pause {
    static func milliseconds(_ count: Int32) {
        var none: [PollItem] = []
        _ = try? PollItem.wait(&none, milliseconds: count)
    }
}
