internal import Glibc

/// Tells when something changes directly below directories (inotify(7)).
package final class DirectoryWatch: Sendable {
    private let queue: OwnedFD

    /// EMFILE when this user has no more of them (`fs.inotify.max_user_instances`).
    package init() throws(Errno) {
        queue = OwnedFD(adopting: try check { inotify_init1(Int32(IN_NONBLOCK | IN_CLOEXEC)) })
    }

    /// ENOSPC when this user watches too many (`fs.inotify.max_user_watches`). With `namesOnly` what is written into the
    /// files is no news, nor who merely opens a lock there.
    package func add(_ path: String, namesOnly: Bool = false) throws(Errno) {
        let names = IN_CREATE | IN_MOVED_TO | IN_DELETE | IN_DELETE_SELF | IN_ONLYDIR
        let mask = namesOnly ? names : names | IN_MODIFY | IN_CLOSE_WRITE
        try check { inotify_add_watch(queue.raw, path, UInt32(mask)) }
    }

    /// Polls readable when there is news.
    package var descriptor: Int32 { queue.raw }

    /// Forgets the news up to now.
    package func drain() {
        var buffer = [UInt8](repeating: 0, count: 4096)
        while buffer.withUnsafeMutableBytes({ Glibc.read(queue.raw, $0.baseAddress, $0.count) }) > 0 {}
    }
}
