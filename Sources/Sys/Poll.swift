internal import CLinux
internal import Glibc

/// A descriptor and what is waited for on it (poll(2)). Regular files are always ready, which epoll would refuse.
package struct PollItem: Sendable {
    package struct Events: OptionSet, Sendable {
        package let rawValue: Int16
        package init(rawValue: Int16) { self.rawValue = rawValue }
        package static let readable = Events(rawValue: Int16(POLLIN))
        package static let writable = Events(rawValue: Int16(POLLOUT))
        package static let hangUp = Events(rawValue: Int16(POLLHUP))
        package static let error = Events(rawValue: Int16(POLLERR))
    }

    /// -1 is skipped.
    package var fd: Int32
    package var wanted: Events
    package private(set) var ready: Events = []

    package init(_ fd: Int32, _ wanted: Events) {
        self.fd = fd
        self.wanted = wanted
    }

    /// Waits until one of `items` is ready or `milliseconds` have passed; -1 waits for ever.
    @discardableResult
    package static func wait(_ items: inout [PollItem], milliseconds: Int32 = -1) throws(Errno) -> Int {
        var entries = items.map { pollfd(fd: $0.fd, events: $0.wanted.rawValue, revents: 0) }
        let count = try check { poll(&entries, nfds_t(entries.count), milliseconds) }
        for index in items.indices { items[index].ready = Events(rawValue: entries[index].revents) }
        return Int(count)
    }
}
