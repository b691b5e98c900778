package import OCI
package import Sys

/// Why a layer was not extracted. Whatever it wrote is in the caller's staging directory and worthless.
package enum LayerError: Error, Sendable, Hashable {
    /// A system call failed on an entry.
    case system(operation: String, entry: String, Errno)
    /// An entry asks for something that is never done.
    case refused(entry: String, reason: String)
    /// The tar's structure is wrong; the offset counts uncompressed bytes.
    case malformed(offset: UInt64, reason: String)
    /// The compressed stream is damaged or cut.
    case damaged(Compression, reason: String)
    /// Not a stream of a kind that layers have.
    case unsupported(String)
    /// The media type says another compression than the bytes.
    case mislabelled(declared: Compression, found: Compression)
    case limit(ExtractionLimits.Kind, entry: String?, allowed: UInt64)
    case diffID(expected: Digest, found: Digest)
    /// Something is in the way that is not taken away; docker's words.
    case conflict(String)
    /// The source of the bytes failed; its own words.
    case source(String)
}

extension LayerError: CustomStringConvertible {
    package var description: String {
        switch self {
        case .system(let operation, let entry, let errno):
            return "\(operation) \(entry): \(errno)" + LayerError.remedy(errno)
        case .refused(let entry, let reason):
            return "layer entry \"\(entry)\" refused: \(reason)"
        case .malformed(let offset, let reason):
            return "invalid tar in layer at byte \(offset): \(reason)"
        case .damaged(let compression, let reason):
            return "damaged \(compression.rawValue) stream in layer: \(reason)"
        case .unsupported(let what):
            return "layer is \(what): only tar, plain or compressed with gzip or zstd, is supported"
        case .mislabelled(let declared, let found):
            return "layer is \(found.rawValue) but its media type says \(declared.rawValue)"
        case .limit(let kind, let entry, let allowed):
            let place = entry.map { " at entry \"\($0)\"" } ?? ""
            let remedy = [.freeSpaceReserve, .freeInodeReserve].contains(kind) ? LayerError.remedy(.noSpace) : ""
            return "layer exceeds the limit \"\(kind.rawValue)\" (\(allowed))\(place)" + remedy
        case .diffID(let expected, let found):
            return "wrong diff ID of layer: expected \(expected), got \(found)"
        case .conflict(let text), .source(let text):
            return text
        }
    }

    private static func remedy(_ errno: Errno) -> String {
        switch errno {
        case .noSpace: "; free space or inodes below the data root"
        case .notSupported: "; the data root needs a file system with extended attributes, such as ext4 or xfs"
        default: ""
        }
    }
}
