internal import Sys

/// A log that is followed, and how long.
package struct FollowedLines {
    package var lines: RotatedLines
    package var take: RotatedLines.Take
    /// Whether more may come; asked before each look at the files, so that nothing that came before a no is missed.
    package var isGoingOn: () -> Bool
    /// A directory in which something changes when the answer does; it may be gone.
    package var sign: String?

    package init(
        _ lines: RotatedLines, sign: String? = nil, isGoingOn: @escaping () -> Bool, take: @escaping RotatedLines.Take
    ) {
        self.lines = lines
        self.take = take
        self.isGoingOn = isGoingOn
        self.sign = sign
    }
}

/// Where lines go that are followed.
package struct FollowingOutput {
    /// Descriptors; a reader of theirs that is gone ends it.
    package var descriptors: [Int32]
    /// Called before each wait: the moment to write what was gathered.
    package var willWait: () -> Void

    package init(_ descriptors: [Int32] = [], willWait: @escaping () -> Void = {}) {
        self.descriptors = descriptors
        self.willWait = willWait
    }
}

/// Reads on in logs as they grow, in one thread however many they are.
package enum Following {
    /// Until every log is over, `until` has passed, or nobody reads the output.
    package static func run(
        _ followed: [FollowedLines], until: LogTime?, output: FollowingOutput
    ) throws(LogError) {
        let watch = watch(followed)
        var open = followed
        while true {
            let isPast = until.map { $0 < LogTime.now } ?? false
            var rest: [FollowedLines] = []
            for log in open {
                let isOver = isPast || !log.isGoingOn()
                guard try log.lines.readOn(take: log.take) else { continue }
                if isOver { try log.lines.finish() } else { rest.append(log) }
            }
            open = rest
            output.willWait()
            if open.isEmpty { return }
            let wait = NewsWait(watch: watch, until: until)
            do throws(Errno) {
                if try !wait.wait(outputs: output.descriptors) { return }
            } catch {
                throw .read(file: open[0].lines.path, error)
            }
        }
    }

    /// nil where the user has no inotify left.
    private static func watch(_ followed: [FollowedLines]) -> DirectoryWatch? {
        do throws(Errno) {
            let watch = try DirectoryWatch()
            for log in followed {
                try watch.add(log.lines.path)
                if let sign = log.sign { try? watch.add(sign) }
            }
            return watch
        } catch {
            return nil
        }
    }
}

/// One wait for news of directories.
private struct NewsWait {
    let watch: DirectoryWatch?
    let until: LogTime?

    /// False when nobody reads the output any more.
    func wait(outputs: [Int32]) throws(Errno) -> Bool {
        var items = outputs.map { PollItem($0, []) } + [PollItem(watch?.descriptor ?? -1, .readable)]
        try PollItem.wait(&items, milliseconds: milliseconds)
        watch?.drain()
        return items.dropLast().allSatisfy(\.ready.isEmpty)
    }

    private var milliseconds: Int32 {
        // Without inotify it looks four times a second.
        let most: Int64 = watch == nil ? 250 : 500
        guard let until else { return Int32(most) }
        let (left, overflow) = (until.seconds - LogTime.now.seconds).multipliedReportingOverflow(by: 1000)
        return Int32(max(1, overflow ? most : min(most, left + 1)))
    }
}
