internal import Glibc

/// A bounded queue of buffers between one thread that fills them and one that empties them.
///
/// `@unchecked Sendable`: all state is guarded by `mutex`; a slot's bytes are touched by the producer only between
/// `vacant` and `commit`, by the consumer only between `next` and the following `next`, and the counters that decide
/// which are read under the mutex.
final class ChunkPipe: @unchecked Sendable {
    /// Small enough that a chunk is still in the second-level cache when it is written out.
    static let slotSize = 256 << 10
    static let slotCount = 8
    /// Bytes of tar between the two threads.
    static var bound: Int { slotSize * slotCount }

    private let slots = (0..<slotCount).map { _ in RawBuffer(count: slotSize) }
    private var counts = [Int](repeating: 0, count: slotCount)
    private let mutex = UnsafeMutablePointer<pthread_mutex_t>.allocate(capacity: 1)
    private let changed = UnsafeMutablePointer<pthread_cond_t>.allocate(capacity: 1)
    private var filled = 0
    private var emptied = 0
    private var lent = false
    private var ended = false
    private var failure: LayerError?
    private var abandoned = false

    init() {
        pthread_mutex_init(mutex, nil)
        pthread_cond_init(changed, nil)
    }

    deinit {
        pthread_cond_destroy(changed)
        pthread_mutex_destroy(mutex)
        changed.deallocate()
        mutex.deallocate()
    }

    /// `body` says whom it wakes.
    private func locked<R>(_ body: () -> R) -> R {
        pthread_mutex_lock(mutex)
        defer { pthread_mutex_unlock(mutex) }
        return body()
    }

    private func wake() { pthread_cond_signal(changed) }

    // MARK: Producer

    /// A buffer to fill; nil when the consumer wants no more. Waits while all are full.
    func vacant() -> UnsafeMutableRawBufferPointer? {
        locked {
            while filled - emptied == ChunkPipe.slotCount, !abandoned { pthread_cond_wait(changed, mutex) }
            return abandoned ? nil : slots[filled % ChunkPipe.slotCount].bytes
        }
    }

    /// Hands the buffer of the last `vacant` over with `count` bytes, at least one.
    func commit(_ count: Int) {
        locked {
            counts[filled % ChunkPipe.slotCount] = count
            filled += 1
            wake()
        }
    }

    /// No more comes, because of an error or because it is all there.
    func end(_ error: LayerError?) {
        locked {
            ended = true
            failure = error
            wake()
        }
    }

    // MARK: Consumer

    /// Gives the last chunk back and waits for the next one.
    func next() throws(LayerError) -> UnsafeRawBufferPointer? {
        let result: Result<UnsafeRawBufferPointer?, LayerError> = locked {
            if lent {
                emptied += 1
                lent = false
                // Who fills them wakes for several: two threads that wait for each other at every chunk would only switch.
                if filled - emptied <= ChunkPipe.slotCount / 2 { wake() }
            }
            while filled == emptied, !ended { pthread_cond_wait(changed, mutex) }
            if filled == emptied {
                if let failure { return .failure(failure) }
                return .success(nil)
            }
            lent = true
            let slot = emptied % ChunkPipe.slotCount
            return .success(UnsafeRawBufferPointer(rebasing: slots[slot].bytes[..<counts[slot]]))
        }
        return try result.get()
    }

    /// The consumer takes no more; a waiting producer goes on and learns it.
    func abandon() {
        locked {
            abandoned = true
            wake()
        }
    }
}

/// The consumer's end.
struct PipedChunks: ChunkSource {
    let pipe: ChunkPipe

    mutating func next() throws(LayerError) -> UnsafeRawBufferPointer? { try pipe.next() }
}
