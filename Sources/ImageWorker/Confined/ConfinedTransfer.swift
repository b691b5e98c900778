internal import CLinux
internal import Glibc
internal import Images
internal import Layers
internal import Sys

/// Moves files between trees and tars, with no rights but those over the two ends that it was started with: what a tar
/// or a container makes of it stays inside the destination.
struct ConfinedTransfer {
    private let request: TransferRequest
    private let owners: LayerOwners

    static func run(_ request: WorkerRequest, _ sink: EventSink) throws(WorkerError) {
        guard let transfer = request.transfer else { throw .request("a transfer without its ends") }
        let confined = ConfinedTransfer(request: transfer, owners: request.owners)
        try confined.confine(sink)
        // Threads that start from here on are confined as this one is.
        let bytes = try confined.transfer()
        sink.send(.transferred(bytes: bytes))
    }

    private func confine(_ sink: EventSink) throws(WorkerError) {
        try system("follow", "the caller") { () throws(Errno) in try SplitProcess.dieWithParent(request.parent) }
        let ends = try system("look at", "the ends") { () throws(Errno) in try grants() }
        do throws(SystemFailure) {
            try ReadOnlyView.enter(writable: [])
        } catch {
            sink.send(.debug("modes, owners and devices are not confined by a view of the mounts: \(error)"))
        }
        // The descriptor of supervised connections is dropped: there is nothing to connect to.
        _ = try system("set", "the filter of system calls") { () throws(Errno) in try Confinement.limitCalls() }
        let abi = Landlock.abi
        if let policy = LandlockPolicy(abi: abi) {
            try system("confine", "files") { () throws(Errno) in
                try Landlock.enforce(policy, paths: ends, ports: [])
            }
        } else {
            sink.send(.debug("files are not confined: this kernel has no Landlock, or an old one (ABI \(abi))"))
        }
        try system("give up", "capabilities") { () throws(Errno) in try Confinement.keep(.extracting) }
    }

    /// The descriptors by their names in /proc: a rule is bound to the file, not to the name. A link or a device has
    /// nothing to read.
    private func grants() throws(Errno) -> [(path: String, grant: LandlockPolicy.Grant)] {
        var result: [(path: String, grant: LandlockPolicy.Grant)] = []
        let ends: [(Int32, Bool, LandlockPolicy.Grant)] = [
            (TransferRequest.sourceDescriptor, request.source != .tar, .read),
            (TransferRequest.targetDescriptor, request.target == .tree, .trees),
        ]
        for (descriptor, isTree, grant) in ends where isTree {
            let status = try File.status(descriptor)
            guard status.isDirectory || status.isRegular else { continue }
            result.append(("/proc/self/fd/\(descriptor)", grant))
        }
        return result
    }

    private func transfer() throws(WorkerError) -> Int64 {
        var options = PackingOptions()
        options.owner = owners.packed
        if let owner = request.owner { options.owner = .replaced(user: owner.user, group: owner.group) }
        var limits = ExtractionLimits.ownFiles
        limits.owners = owners
        // How full the destination may become is its owner's business.
        limits.freeSpaceReserve = 0
        limits.freeInodeReserve = 0
        do throws(LayerError) {
            switch request.target {
            case .tar:
                return try source.pack(
                    to: TransferRequest.targetDescriptor, name: "the archive", options
                ).bytes
            case .tree:
                return try source.extract(
                    into: TransferRequest.targetDescriptor, format: .merge, options, limits: limits
                ) { [] }.plainBytes
            }
        } catch {
            throw .transfer(error)
        }
    }

    private var source: TransferSource {
        switch request.source {
        case .item(let name): .item(TransferRequest.sourceDescriptor, name: name)
        case .contents: .contents(TransferRequest.sourceDescriptor)
        case .tar: .tar(TransferRequest.sourceDescriptor, name: "the archive")
        }
    }
}
