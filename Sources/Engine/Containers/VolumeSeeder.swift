internal import Glibc
internal import Rootfs
internal import Sys

/// Copies for a new volume what the image has at its target. The image is mounted for that in a mount namespace of its
/// own, so the kernel merges the layers and no link leads out of them.
struct VolumeSeeder {
    /// Whether anything can be mounted; else the view is a directory that is opened as it stands.
    let mounts: Bool
    typealias Use = (RootfsMount) throws(EngineError) -> Bool
    /// Calls its argument with the image's layers as a read-only mount over the directory `mountPoint`, which is empty.
    let withView: (_ mountPoint: String, Use) throws(EngineError) -> Bool

    /// Copies the directory at `target` in the image into `data`, an empty directory. False when the image has no
    /// directory there. Synced: a volume must not come back half filled.
    func fill(_ data: String, from target: String) throws(EngineError) -> Bool {
        try withView(data) { mount throws(EngineError) in
            if !mounts, case .bind(let source) = mount.step {
                return try call("fill the volume from the image's", target) { () throws(Errno) in
                    let root = try Directory.open(source)
                    let destination = try Directory.open(data)
                    return try VolumeSeeder.copy(target, of: root.raw, to: destination.raw)
                }
            }
            let result = try call(Engine.mountingFiles, "the image for its volume at \(target)") { () throws(Errno) in
                try PrivateMounts.with { () throws(Errno) -> Result<Bool, EngineError> in
                    // Opened first: the mount goes on top of the same directory, visible in this namespace only.
                    let destination = try Directory.open(data)
                    let root = try mount.attached()
                    try mount.letGo()
                    do throws(EngineError) {
                        return .success(
                            try call("fill the volume from the image's", target) { () throws(Errno) in
                                try VolumeSeeder.copy(target, of: root.raw, to: destination.raw)
                            })
                    } catch {
                        return .failure(error)
                    }
                }
            }
            return try result.get()
        }
    }

    private static func copy(_ target: String, of root: Int32, to destination: Int32) throws(Errno) -> Bool {
        let source: OwnedFD
        do throws(Errno) {
            source = try File.open(target, O_RDONLY | O_DIRECTORY, at: root, resolve: [.inRoot, .noMagicLinks])
        } catch {
            if error == .noEntry || error == .notDirectory { return false }
            throw error
        }
        try Directory.copyTree(from: source.raw, to: destination)
        try File.syncFileSystem(destination)
        return true
    }
}
