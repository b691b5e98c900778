internal import Glibc

/// Many small questions to the kernel, asked from several threads.
package enum SideBySide {
    /// A thread costs some fifty microseconds: one is made for so many things only.
    private static let share = 64
    private static let mostThreads = 4

    /// The values of `body` for 0 up to `count`, in order. Few are computed by the caller alone; no thread is left.
    package static func map<T: Sendable>(_ count: Int, _ body: @escaping @Sendable (Int) -> T) -> [T] {
        let threads = min(count / share, mostThreads)
        let parts = threads < 2 ? 1 : min(threads, max(1, sysconf(Int32(_SC_NPROCESSORS_ONLN))))
        if parts == 1 {
            var values: [T] = []
            // Not by `map`: a range is the first generic type of many a command.
            while values.count < count { values.append(body(values.count)) }
            return values
        }
        let bounds = (0...parts).map { count * $0 / parts }
        let others = (1..<parts).map { part in
            let range = bounds[part]..<bounds[part + 1]
            return Aside { range.map(body) }
        }
        let own = (0..<bounds[1]).map(body)
        return others.reduce(own) { $0 + $1.value() }
    }
}
