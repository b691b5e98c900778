internal import Glibc
internal import Images
internal import Sys

/// Copies for a new volume what the image has at its target. The image is mounted for that in a mount namespace of its
/// own, so the kernel merges the layers and no link leads out of them.
struct VolumeSeeder {
    let image: Image
    let layersDirectory: String

    /// Copies the directory at `target` in the image into `data`, an empty directory. False when the image has no
    /// directory there. Synced: a volume must not come back half filled.
    func fill(_ data: String, from target: String) throws(EngineError) -> Bool {
        // overlayfs wants two lower directories where there is no upper one: the empty volume is the second.
        let lowers = image.layers.reversed().map(\.link) + [data]
        let options = "lowerdir=" + lowers.joined(separator: ":")
        let directory = layersDirectory
        return try call("fill the volume from the image's", target) { () throws(Errno) in
            try PrivateMounts.with { () throws(Errno) in
                try VolumeSeeder.copy(target, to: data, options: options, layersDirectory: directory)
            }
        }
    }

    private static func copy(
        _ target: String, to data: String, options: String, layersDirectory: String
    ) throws(Errno) -> Bool {
        // Opened first: the mount goes on top of the same directory, visible in this namespace only.
        let destination = try Directory.open(data)
        try PrivateMounts.mount(type: "overlay", at: data, options: options, from: layersDirectory, readOnly: true)
        let root = try Directory.open(data)
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
