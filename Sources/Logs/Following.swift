internal import Sys

/// How long a reader goes on when it has read all there is.
package struct Following {
    /// Whether more may come; asked before each look at the files, so that nothing that came before a no is missed.
    package var isGoingOn: () -> Bool
    /// Become readable when the answer may change: a process descriptor.
    package var endSignals: [Int32]
    /// Where the lines go; a reader that is gone ends it.
    package var outputs: [Int32]
    /// Nothing that is written later is of interest.
    package var until: LogTime?
    /// Called before each wait: the moment to write what was gathered.
    package var willWait: () -> Void

    package init(
        endSignals: [Int32] = [], outputs: [Int32] = [], until: LogTime? = nil, willWait: @escaping () -> Void = {},
        isGoingOn: @escaping () -> Bool
    ) {
        self.endSignals = endSignals
        self.outputs = outputs
        self.until = until
        self.willWait = willWait
        self.isGoingOn = isGoingOn
    }
}

/// Waits for news of a directory. Without inotify, of which a user has not many, it looks four times a second.
struct NewsWait {
    private let watch: DirectoryWatch?
    private var isEnding = false

    init(_ path: String) {
        watch = try? DirectoryWatch(path)
    }

    /// False when whoever reads our output is gone.
    mutating func wait(_ following: Following) throws(Errno) -> Bool {
        following.willWait()
        var items = following.outputs.map { PollItem($0, []) }
        let outputs = items.count
        // A descriptor of a process stays readable once it is: from then on the answer is asked for now and then.
        if !isEnding { items += following.endSignals.map { PollItem($0, .readable) } }
        let signals = items.count
        items.append(PollItem(watch?.descriptor ?? -1, .readable))
        try PollItem.wait(&items, milliseconds: timeout(following.until))
        if items[..<outputs].contains(where: { !$0.ready.isEmpty }) { return false }
        if items[outputs..<signals].contains(where: { !$0.ready.isEmpty }) { isEnding = true }
        watch?.drain()
        return true
    }

    private func timeout(_ until: LogTime?) -> Int32 {
        let ordinary: Int64 = isEnding ? 20 : watch == nil ? 250 : 500
        guard let until else { return Int32(ordinary) }
        let now = LogTime.now
        let left = (until.seconds - now.seconds).multipliedReportingOverflow(by: 1000)
        return Int32(max(1, left.overflow ? ordinary : min(ordinary, left.partialValue + 1)))
    }
}
