internal import CLinux
internal import Glibc
internal import Sys

/// Links, addresses and routes of one network namespace by rtnetlink(7): of that in which the value was made.
package struct RouteSocket: ~Copyable {
    var socket: NetlinkSocket

    package init() throws(NetworkError) {
        do throws(Errno) {
            socket = try NetlinkSocket(NETLINK_ROUTE)
        } catch {
            throw .system(SystemFailure("open", "a netlink socket", error))
        }
    }

    /// Carries messages out; the words say what for, should they be refused.
    @discardableResult
    mutating func perform(
        _ operation: String, _ subject: String, _ request: NetlinkRequest
    ) throws(NetworkError) -> [NetlinkReply] {
        do throws(NetlinkRefusal) {
            return try socket.request(request)
        } catch {
            throw .kernel(KernelRefusal(operation, subject, error))
        }
    }

    mutating func dump(_ subject: String, _ question: NetlinkRequest) throws(NetworkError) -> [NetlinkReply] {
        do throws(NetlinkRefusal) {
            return try socket.dump(question)
        } catch {
            throw .kernel(KernelRefusal("list", subject, error))
        }
    }

    /// nil where there is none of that name.
    package mutating func link(named name: String) throws(NetworkError) -> Link? {
        var request = NetlinkRequest()
        request.message(RTM_GETLINK) {
            $0.linkHeader()
            $0.attribute(IFLA_IFNAME, text: name)
            // Its counters take the kernel longer than all else.
            $0.attribute(IFLA_EXT_MASK, number: UInt32(RTEXT_FILTER_SKIP_STATS))
        }
        do throws(NetlinkRefusal) {
            return try socket.ask(request).flatMap { Link($0) }
        } catch  where error.errno == Errno(rawValue: ENODEV) {
            return nil
        } catch {
            throw .kernel(KernelRefusal("look for", name, error))
        }
    }

    /// All of the namespace.
    package mutating func links() throws(NetworkError) -> [Link] {
        var question = NetlinkRequest()
        question.message(RTM_GETLINK) { $0.linkHeader() }
        return try dump("links", question).compactMap { Link($0) }
    }

    /// The ports of a bridge.
    package mutating func links(master: Int32) throws(NetworkError) -> [Link] {
        var question = NetlinkRequest()
        question.message(RTM_GETLINK) {
            $0.linkHeader()
            $0.attribute(IFLA_MASTER, number: master)
        }
        // A kernel that does not filter lists all.
        return try dump("ports", question).compactMap { Link($0) }.filter { $0.master == master }
    }

    /// One that is missing is no error.
    package mutating func deleteLink(_ index: Int32) throws(NetworkError) {
        var request = NetlinkRequest()
        request.message(RTM_DELLINK) { $0.linkHeader(index) }
        try delete("link \(index)", request)
    }

    package mutating func deleteLink(named name: String) throws(NetworkError) {
        var request = NetlinkRequest()
        request.message(RTM_DELLINK) {
            $0.linkHeader()
            $0.attribute(IFLA_IFNAME, text: name)
        }
        try delete(name, request)
    }

    private mutating func delete(_ subject: String, _ request: NetlinkRequest) throws(NetworkError) {
        do throws(NetlinkRefusal) {
            try socket.request(request)
        } catch  where error.errno == Errno(rawValue: ENODEV) {
            return
        } catch {
            throw .kernel(KernelRefusal("delete", subject, error))
        }
    }

    /// Makes a link a port of a bridge.
    package mutating func setMaster(_ index: Int32, to bridge: Int32) throws(NetworkError) {
        var request = NetlinkRequest()
        request.message(RTM_NEWLINK) {
            $0.linkHeader(index)
            $0.attribute(IFLA_MASTER, number: bridge)
        }
        try perform("connect with a bridge", "link \(index)", request)
    }

    package mutating func setUp(_ index: Int32) throws(NetworkError) {
        var request = NetlinkRequest()
        request.message(RTM_NEWLINK) { $0.linkHeader(index, up: true) }
        try perform("set up", "link \(index)", request)
    }
}
