internal import CLinux
internal import Glibc
internal import Sys

/// The kernel's answer to a request that it did not carry out.
struct NetlinkRefusal: Error {
    let errno: Errno
    /// The kernel's own; often empty.
    let words: String
    /// Which message of the request it was.
    let index: Int

    init(_ errno: Errno, words: String = "", index: Int = 0) {
        self.errno = errno
        self.words = words
        self.index = index
    }
}

/// A socket of netlink(7), of the network namespace that the thread was in when it was opened.
struct NetlinkSocket: ~Copyable {
    private let fd: OwnedFD
    private var sequence: UInt32 = 1
    /// The size of a datagram's buffer: the kernel makes none larger for a dump (af_netlink.c).
    private static let datagram = 1 << 16
    /// How often a dump is begun anew that was overtaken by changes.
    private static let patience = 20

    /// NETLINK_ROUTE or NETLINK_NETFILTER.
    init(_ family: Int32) throws(Errno) {
        fd = OwnedFD(
            adopting: try check { socket(AF_NETLINK, Int32(SOCK_RAW.rawValue) | Int32(SOCK_CLOEXEC.rawValue), family) })
        // Errors with words; errors without a copy of what was sent; dumps that do filter.
        for option in [NETLINK_EXT_ACK, NETLINK_CAP_ACK, NETLINK_GET_STRICT_CHK] {
            var on: Int32 = 1
            // Kernels that lack one do without.
            _ = setsockopt(fd.raw, SOL_NETLINK, option, &on, socklen_t(MemoryLayout<Int32>.size))
        }
    }

    /// The descriptor, for who closes it at a better time.
    consuming func release() -> OwnedFD { fd }

    /// Has all messages carried out, one after the other, and returns what they answer. The first that was refused is
    /// thrown; those behind it were carried out all the same, but in a transaction. `trailing` messages at the end have no
    /// answer of their own.
    @discardableResult
    mutating func request(
        _ request: NetlinkRequest, trailing: Int = 0
    ) throws(NetlinkRefusal) -> [NetlinkReply] {
        guard request.starts.count > trailing else { return [] }
        var request = request
        // One acknowledgement is enough: errors come anyway.
        let count = request.starts.count - trailing
        request.flag(count - 1, NLM_F_ACK)
        let first = try send(&request)
        let last = first &+ UInt32(count - 1)
        var result: [NetlinkReply] = []
        var refusal: NetlinkRefusal?
        var isWaiting = true
        // The kernel has done all when it returns from sending: what is not there by then does not come. The answer to the
        // last message of a transaction is missing where the whole was refused.
        reading: while let bytes = try read(waiting: isWaiting) {
            for reply in NetlinkReply.all(bytes) where reply.sequence &- first <= last &- first {
                guard let status = reply.status else {
                    result.append(reply)
                    continue
                }
                if status != 0, refusal == nil {
                    refusal = NetlinkRefusal(
                        Errno(rawValue: status), words: reply.words, index: Int(reply.sequence &- first))
                }
                if reply.sequence == last, refusal == nil { break reading }
                isWaiting = false
            }
        }
        if let refusal { throw refusal }
        return result
    }

    /// The one answer to one question.
    mutating func ask(_ question: NetlinkRequest) throws(NetlinkRefusal) -> NetlinkReply? {
        var question = question
        let first = try send(&question)
        while let bytes = try read(waiting: true) {
            guard let reply = NetlinkReply.all(bytes).first(where: { $0.sequence == first }) else { continue }
            guard let status = reply.status else { return reply }
            throw NetlinkRefusal(Errno(rawValue: status), words: reply.words)
        }
        return nil
    }

    /// All that the kernel lists for one question.
    mutating func dump(_ question: NetlinkRequest) throws(NetlinkRefusal) -> [NetlinkReply] {
        for _ in 0..<NetlinkSocket.patience {
            if let result = try dumpOnce(question) { return result }
        }
        throw NetlinkRefusal(.again)
    }

    /// nil where the list changed meanwhile.
    private mutating func dumpOnce(_ question: NetlinkRequest) throws(NetlinkRefusal) -> [NetlinkReply]? {
        var question = question
        question.flag(0, NLM_F_DUMP)
        let first = try send(&question)
        var result: [NetlinkReply] = []
        var wasInterrupted = false
        while let bytes = try read(waiting: true) {
            for reply in NetlinkReply.all(bytes) where reply.sequence == first {
                if reply.flags & UInt16(NLM_F_DUMP_INTR) != 0 { wasInterrupted = true }
                guard let status = reply.status else {
                    result.append(reply)
                    continue
                }
                // nf_tables says by EINTR that its generation changed.
                if status == EINTR { return nil }
                if status != 0 { throw NetlinkRefusal(Errno(rawValue: status), words: reply.words) }
                return wasInterrupted ? nil : result
            }
        }
        return nil
    }

    /// Returns the number of the first message.
    private mutating func send(_ request: inout NetlinkRequest) throws(NetlinkRefusal) -> UInt32 {
        let first = sequence
        sequence &+= UInt32(request.starts.count)
        request.stamp(from: first)
        let bytes = request.bytes
        if bytes.count > 1 << 17 {
            // More than a socket usually has room for.
            var size = Int32(clamping: bytes.count * 2)
            _ = setsockopt(fd.raw, SOL_SOCKET, SO_SNDBUFFORCE, &size, socklen_t(MemoryLayout<Int32>.size))
        }
        let raw = fd.raw
        do throws(Errno) {
            try check { bytes.withUnsafeBytes { Glibc.send(raw, $0.baseAddress, $0.count, 0) } }
        } catch {
            throw NetlinkRefusal(error)
        }
        return first
    }

    /// The next datagram; nil where none is there, unless waited for.
    private func read(waiting: Bool) throws(NetlinkRefusal) -> [UInt8]? {
        let flags = Int32(MSG_TRUNC) | (waiting ? 0 : Int32(MSG_DONTWAIT))
        var failure: Errno?
        let raw = fd.raw
        let bytes = [UInt8](unsafeUninitializedCapacity: NetlinkSocket.datagram) { buffer, filled in
            do throws(Errno) {
                let count = try check { recv(raw, buffer.baseAddress, buffer.count, flags) }
                filled = min(count, buffer.count)
                if count > buffer.count { failure = .messageTooLong }
            } catch {
                failure = error
            }
        }
        if failure == .again, !waiting { return nil }
        if let failure { throw NetlinkRefusal(failure) }
        return bytes
    }
}
