internal import Glibc
internal import Rootfs
internal import Sys

/// Copies for a new volume what the image has at its target. The image is mounted for that in a mount namespace of its
/// own, so the kernel merges the layers and no link leads out of them.
struct VolumeSeeder {
    /// The image's layers as a read-only mount over the directory `mountPoint`, which is empty.
    let view: (_ mountPoint: String) throws(EngineError) -> RootfsMount

    /// Copies the directory at `target` in the image into `data`, an empty directory. False when the image has no
    /// directory there. Synced: a volume must not come back half filled.
    func fill(_ data: String, from target: String) throws(EngineError) -> Bool {
        let mount = try view(data)
        return try call("fill the volume from the image's", target) { () throws(Errno) in
            try PrivateMounts.with { () throws(Errno) in try VolumeSeeder.copy(target, to: data, mount) }
        }
    }

    private static func copy(_ target: String, to data: String, _ mount: RootfsMount) throws(Errno) -> Bool {
        // Opened first: the mount goes on top of the same directory, visible in this namespace only.
        let destination = try Directory.open(data)
        let root = try mount.attached()
        try mount.letGo()
        let source: OwnedFD
        do throws(Errno) {
            source = try File.open(target, O_RDONLY | O_DIRECTORY, at: root.raw, resolve: [.inRoot, .noMagicLinks])
        } catch {
            if error == .noEntry || error == .notDirectory { return false }
            throw error
        }
        try Directory.copyTree(from: source.raw, to: destination.raw)
        try File.syncFileSystem(destination.raw)
        return true
    }
}
