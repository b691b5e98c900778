internal import Synchronization

/// A value that a second thread computes while the caller does something else. No thread outlives it.
package final class Aside<Value: Sendable> {
    private final class Box: Sendable {
        let value = Mutex<Value?>(nil)
    }

    private let box = Box()
    private let body: @Sendable () -> Value
    private var thread: JoinableThread?

    package init(_ body: @escaping @Sendable () -> Value) {
        self.body = body
        let box = box
        thread = try? JoinableThread {
            let value = body()
            box.value.withLock { $0 = value }
        }
    }

    deinit { join() }

    /// Waits for the thread; without one, since there may be no more, the caller does its work.
    package func value() -> Value {
        join()
        return box.value.withLock { $0 } ?? body()
    }

    private func join() {
        if let thread = thread.take() { thread.join() }
    }
}
