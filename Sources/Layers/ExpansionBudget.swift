internal import Glibc
internal import Sys

/// What a layer may still take: bytes against its limits, and the room that the file system must keep.
///
/// The bytes of the tar count as they come, whatever they are. So do copies of files of the layers below and directories
/// that no member describes: both cost whoever made the layer next to nothing.
final class ExpansionBudget {
    /// The most that is taken between two looks at the file system.
    private static let largestInterval: UInt64 = 64 << 20
    /// A byte of tar makes up to eight on disk (a directory's header is 512 bytes, its block 4096), and other layers are
    /// extracted at the same time.
    private static let caution: UInt64 = 16

    private let directory: Int32
    private let limits: ExtractionLimits
    private let allowed: UInt64
    private let exceeded: LayerError
    private var used: UInt64 = 0
    private var nextLook: UInt64 = 0

    /// `directory` is borrowed: one of the file system that is written to.
    init(_ directory: Int32, limits: ExtractionLimits, compressedSize: Int64) {
        self.directory = directory
        self.limits = limits
        let (product, overflow) = UInt64(max(compressedSize, 0)).multipliedReportingOverflow(by: limits.ratio)
        let byRatio = max(limits.ratioFloor, overflow ? .max : product)
        if byRatio < limits.expandedSize {
            allowed = byRatio
            exceeded = .limit(.ratio, entry: nil, allowed: limits.ratio)
        } else {
            allowed = limits.expandedSize
            exceeded = .limit(.expandedSize, entry: nil, allowed: limits.expandedSize)
        }
    }

    /// Counts `bytes` that were read or are about to be written.
    func spend(_ bytes: UInt64) throws(LayerError) {
        let (sum, overflow) = used.addingReportingOverflow(bytes)
        used = overflow ? .max : sum
        if used > allowed { throw exceeded }
        if used < nextLook { return }
        let room = try look(needing: bytes)
        nextLook = used.addingReportingOverflow(room).overflow ? .max : used + room
    }

    /// Throws when less is free than the reserve and `bytes`; returns how much may be taken until the next look.
    private func look(needing bytes: UInt64) throws(LayerError) -> UInt64 {
        var status = statvfs()
        do throws(Errno) {
            try check { fstatvfs(directory, &status) }
        } catch {
            throw .system(operation: "statvfs", entry: "layer directory", error)
        }
        let unit = UInt64(status.f_frsize)
        let free = UInt64(status.f_bavail).multipliedReportingOverflow(by: unit)
        let total = UInt64(status.f_blocks).multipliedReportingOverflow(by: unit)
        // More than 64 bits hold is enough.
        if free.overflow || total.overflow { return ExpansionBudget.largestInterval }
        let reserve = min(limits.freeSpaceReserve, total.partialValue / 20)
        let needed = reserve.addingReportingOverflow(bytes)
        let lacks = needed.overflow || free.partialValue < needed.partialValue
        if lacks, reserve > 0 { throw .limit(.freeSpaceReserve, entry: nil, allowed: reserve) }
        let room = lacks ? 0 : (free.partialValue - needed.partialValue) / ExpansionBudget.caution
        return min(ExpansionBudget.largestInterval, room, try inodeRoom(status))
    }

    /// As many bytes of tar as the inodes above the reserve are good for. btrfs and others have no count of inodes.
    private func inodeRoom(_ status: statvfs) throws(LayerError) -> UInt64 {
        if status.f_files == 0 { return .max }
        let reserve = min(limits.freeInodeReserve, UInt64(status.f_files) / 20)
        let free = UInt64(status.f_favail)
        if free < reserve { throw .limit(.freeInodeReserve, entry: nil, allowed: reserve) }
        let bytes = (free - reserve).multipliedReportingOverflow(by: 512)
        return bytes.overflow ? .max : bytes.partialValue / ExpansionBudget.caution
    }
}
