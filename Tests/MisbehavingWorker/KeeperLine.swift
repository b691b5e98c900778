internal import ImageWorker
internal import Images
internal import Sys

/// The socket to the keeper, without the client's good manners.
struct KeeperLine {
    private let socket: Int32

    init(_ socket: Int32) { self.socket = socket }

    func send(_ bytes: [UInt8]) throws { try StreamSocket.send(socket, bytes) }

    func tell(_ request: KeeperRequest) throws { try send(request.frame) }

    func ask(_ request: KeeperRequest) throws -> KeeperReply {
        try tell(request)
        return try answer()
    }

    func answer() throws -> KeeperReply {
        let head = try StreamSocket.receive(socket, exactly: 4)
        let length = head.reversed().reduce(0) { $0 << 8 | Int($1) }
        return try KeeperReply(try StreamSocket.receive(socket, exactly: length))
    }

    /// Whoever started us hears it.
    func report(_ text: String) { try? tell(.event(.debug(text))) }
}
