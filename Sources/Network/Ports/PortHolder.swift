internal import CPorts
internal import Glibc
package import OCI
internal import Sys

/// Where connections to the published ports of a container go.
package struct PortTargets: Sendable, Hashable {
    package var version4: IPAddress?
    package var version6: IPAddress?

    package init(version4: IPAddress? = nil, version6: IPAddress? = nil) {
        self.version4 = version4
        self.version6 = version6
    }

    /// A host's address of version 6 leads to a container that has only one of version 4, and the other way round.
    func target(of address: IPAddress) -> IPAddress? {
        address.isVersion6 ? version6 ?? version4 : version4 ?? version6
    }
}

/// The process that holds a container's ports as long as that runs, and passes on what arrives (CPorts).
package struct PortHolder: Sendable, Hashable {
    package let pid: Int32
    /// Clock ticks since the boot.
    package let startTime: UInt64

    package init(pid: Int32, startTime: UInt64) {
        self.pid = pid
        self.startTime = startTime
    }

    static let name = CPORTS_NAME
    static let mostSockets = Int(CPORTS_MAX_SOCKETS)
    /// Milliseconds in which it ends by itself once the container has, and those after which it is not waited for.
    private static let patience: Int32 = 1000
    private static let mostPatience: Int32 = 10_000

    /// Starts one for container `id`; it serves when this returns, and ends with the process behind `pidfd`. With a
    /// namespace it connects from inside that.
    package static func start(
        _ bound: BoundPorts, id: String, to targets: PortTargets, pidfd: Int32,
        inside namespace: NetworkNamespace? = nil,
        executable: String = "/proc/self/exe"
    ) throws(NetworkError) -> PortHolder {
        let answer: cports_answer?
        let pid: Int32
        do throws(Errno) {
            (pid, answer) = try OpenFilesLimit.whileRaised { () throws(Errno) in
                try spawn(bound, id, try config(bound, targets, joins: namespace != nil), pidfd, namespace, executable)
            }
        } catch {
            throw .system(SystemFailure("start", "the process that holds the ports", error))
        }
        guard let answer, cports_stage(answer.stage) == CPORTS_SERVES else {
            _ = try? Spawn.wait(pid)
            throw .holder(answer.map(complaint) ?? "it ended without a word")
        }
        return PortHolder(pid: pid, startTime: ProcessStatus.startTime(pid) ?? 0)
    }

    private static func spawn(
        _ bound: BoundPorts, _ id: String, _ config: borrowing OwnedFD, _ pidfd: Int32, _ namespace: NetworkNamespace?,
        _ executable: String
    ) throws(Errno) -> (Int32, cports_answer?) {
        let ready = try Pipe()
        let null = try File.open("/dev/null", O_RDWR)
        let fixed = [ready.writer.raw, pidfd, config.raw, namespace?.fd.raw ?? null.raw]
        let pid = try Spawn.start(
            [name, id], executable: executable, environment: [], input: null.raw, output: null.raw, error: null.raw,
            further: fixed + bound.sockets.map { $0.fd.raw }, session: true)
        _ = consume null
        let reader = ready.keepReader()
        let bytes = try File.readAll(reader.raw, limit: 64)
        guard bytes.count == MemoryLayout<cports_answer>.size else { return (pid, nil) }
        return (pid, bytes.withUnsafeBytes { $0.loadUnaligned(as: cports_answer.self) })
    }

    private static func config(_ bound: BoundPorts, _ targets: PortTargets, joins: Bool) throws(Errno) -> OwnedFD {
        var bytes: [UInt8] = []
        func append(_ value: some BitwiseCopyable) { withUnsafeBytes(of: value) { bytes += $0 } }
        append(cports_config(flags: joins ? CPORTS_JOINS.rawValue : 0, count: UInt32(bound.sockets.count)))
        for socket in bound.sockets {
            let (published, to) = (socket.published, targets.target(of: socket.published.address))
            var target = cports_target()
            target.transport = transport(published.port.transport, isReached: to != nil).rawValue
            target.is_version6 = to?.isVersion6 == true ? 1 : 0
            target.port = published.port.number
            withUnsafeMutableBytes(of: &target.address) { $0.copyBytes(from: to?.bytes ?? []) }
            append(target)
        }
        let file = try MemoryFile.anonymous("ports")
        try File.write(file.raw, bytes)
        return file
    }

    private static func transport(_ transport: PortProtocol, isReached: Bool) -> cports_transport {
        switch transport {
        case _ where !isReached: CPORTS_HELD
        case .tcp: CPORTS_TCP
        case .udp: CPORTS_UDP
        case .sctp: CPORTS_HELD
        }
    }

    private static func complaint(_ answer: cports_answer) -> String {
        let step =
            switch cports_stage(answer.stage) {
            case CPORTS_READING: "read what it is to do"
            case CPORTS_LIMITING: "raise the limit of open files"
            case CPORTS_JOINING: "join the container's network namespace"
            case CPORTS_DROPPING: "drop its rights"
            default: "watch the ports"
            }
        return "\(step): \(Errno(rawValue: answer.error))"
    }

    /// Returns when it is gone, and its ports are free. It is to end by itself, since the container has.
    package func stop() throws(NetworkError) {
        do throws(Errno) {
            let pidfd = try Pidfd.open(pid)
            guard ProcessStatus.startTime(pid) == startTime else { return }
            var items = [PollItem(pidfd.raw, .readable)]
            if try PollItem.wait(&items, milliseconds: PortHolder.patience) == 0 {
                try Pidfd.send(SIGKILL, to: pidfd.raw)
                try PollItem.wait(&items, milliseconds: PortHolder.mostPatience)
            }
            // Where it is a child of ours.
            _ = try? Pidfd.wait(pidfd.raw)
        } catch .noProcess {
            return
        } catch {
            throw .system(SystemFailure("end", "the process that holds the ports", error))
        }
    }
}
