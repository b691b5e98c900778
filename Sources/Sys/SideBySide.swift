internal import Glibc
internal import Synchronization

/// Many small questions to the kernel, asked from several threads.
package enum SideBySide {
    /// A thread costs some fifty microseconds: one is made for so many things only.
    private static let share = 64
    private static let mostThreads = 4

    /// The values of `body` for 0 up to `count`, in order. Few are computed by the caller alone; no thread is left.
    package static func map<T: Sendable>(_ count: Int, _ body: @escaping @Sendable (Int) -> T) -> [T] {
        let threads = min(count / share, mostThreads)
        let parts = threads < 2 ? 1 : min(threads, max(1, sysconf(Int32(_SC_NPROCESSORS_ONLN))))
        if parts == 1 { return (0..<count).map(body) }
        let bounds = (0...parts).map { count * $0 / parts }
        let others = (1..<parts).map { Part(bounds[$0]..<bounds[$0 + 1], body) }
        let own = (0..<bounds[1]).map(body)
        return others.reduce(own) { $0 + $1.values() }
    }

    /// A part of the whole, and the thread that computes it.
    private final class Part<T: Sendable> {
        private final class Box: Sendable {
            let values = Mutex<[T]>([])
        }

        private let box = Box()
        private let range: Range<Int>
        private let body: @Sendable (Int) -> T
        private var thread: JoinableThread?

        init(_ range: Range<Int>, _ body: @escaping @Sendable (Int) -> T) {
            self.range = range
            self.body = body
            let box = box
            thread = try? JoinableThread {
                let values = range.map(body)
                box.values.withLock { $0 = values }
            }
        }

        /// Waits for the thread; without one, since there may be no more, the caller does its work.
        func values() -> [T] {
            guard let thread = thread.take() else { return range.map(body) }
            thread.join()
            return box.values.withLock { $0 }
        }
    }
}
