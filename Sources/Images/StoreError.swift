package import OCI
package import Sys

/// What can go wrong with the image store.
package enum StoreError: Error, Sendable {
    case system(SystemFailure)
    /// A record that cannot be what was written; it stays where it is.
    case damaged(path: String, reason: String, remedy: String)
    /// A record of a later runimg.
    case newer(path: String, version: Int)
    /// Layers there say with other attributes than ours what is deleted.
    case otherMarks(root: String, ours: OverlayMarks)
    case noSuchImage(String)
    case ambiguous(prefix: String)
    /// Not a name and not an ID: the parser's words.
    case invalidName(String)
    /// A removal that would take an image from under its users, in docker's words.
    case conflict(String)
    case missingLayer(image: Digest, chainID: Digest, path: String)
    /// The layer is there, and not what it was made of.
    case missingBlob(image: Digest, chainID: Digest)
    /// The containers could not be asked what they use.
    case containers(String)
}

extension StoreError: CustomStringConvertible {
    package var description: String {
        switch self {
        case .system(let failure):
            failure.errno.isOutOfSpace
                ? "\(failure); free space on the file system of the data root, or choose another with --data-root"
                : failure.description
        case .damaged(let path, let reason, let remedy): "\(path) is damaged: \(reason); \(remedy)"
        case .newer(let path, let version):
            "\(path) has format version \(version), this runimg knows version \(Repositories.version); "
                + "use the runimg that wrote it, or another --data-root"
        case .otherMarks(let root, .user):
            "the data root \(root) was written with root's rights, without which what its layers delete can't be seen; "
                + "use a --data-root of your own"
        case .otherMarks(let root, .trusted):
            "the data root \(root) was written without root's rights, and with them what its layers delete would not be "
                + "seen; use it as the user whose it is, or another --data-root"
        case .noSuchImage(let name): "No such image: \(name)"
        case .ambiguous(let prefix): "image ID prefix \(prefix) is ambiguous; give more digits of it"
        case .invalidName(let message): message
        case .conflict(let message): "conflict: \(message)"
        case .missingLayer(let image, let chainID, let path):
            "image \(image.short) lacks its layer \(chainID.short) (\(path)); remove the image and pull it again"
        case .missingBlob(let image, let chainID):
            "image \(image.short) can't be given away: the blob of its layer \(chainID.short) was not kept; "
                + "'system check --repair' fetches it"
        case .containers(let message): message
        }
    }
}

/// Runs `body`; its errno becomes a `StoreError` that names operation and path.
func attempt<T: ~Copyable>(
    _ operation: String, _ path: String, _ body: () throws(Errno) -> T
) throws(StoreError) -> T {
    do throws(Errno) {
        return try body()
    } catch {
        throw .system(SystemFailure(operation, path, error))
    }
}
