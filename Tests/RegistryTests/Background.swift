import Glibc
import Synchronization
import Sys

/// A function on a thread of its own, and its result.
final class Background<Value: Sendable>: Sendable {
    private let result = Mutex<Value?>(nil)

    init(_ body: @escaping @Sendable () -> Value) {
        let work = Unmanaged.passRetained(Box { self.result.withLock { [value = body()] in $0 = value } })
        var thread = pthread_t()
        let status = pthread_create(
            &thread, nil,
            { raw in
                if let raw { Unmanaged<Box>.fromOpaque(raw).takeRetainedValue().body() }
                return nil
            }, work.toOpaque())
        precondition(status == 0, "pthread_create")
        pthread_detach(thread)
    }

    /// Waits for it.
    var value: Value {
        while true {
            if let value = result.withLock({ $0 }) { return value }
            usleep(2000)
        }
    }
}

private final class Box {
    let body: () -> Void
    init(_ body: @escaping () -> Void) { self.body = body }
}

/// What a progress callback was told.
final class Counter: Sendable {
    private let state = Mutex<[Int64]>([])
    var values: [Int64] { state.withLock { $0 } }
    func add(_ value: Int64) { state.withLock { $0.append(value) } }
}

func contents(_ path: String) -> [UInt8] { (try? File.readAll(path)) ?? [] }

/// A value that a server's handler and its test share.
final class Mutable<Value: Sendable>: Sendable {
    private let state: Mutex<Value>

    init(_ value: Value) { state = Mutex(value) }

    var value: Value {
        get { state.withLock { $0 } }
        set { state.withLock { $0 = newValue } }
    }
}
