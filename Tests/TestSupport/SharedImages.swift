internal import Glibc
internal import OCI
internal import Sys

/// Real images that may stand beside the package in `../shared/images`: Alpine's root file systems for two machines, and
/// the official busybox image.
package enum SharedImages {
    package static let directory = "\(PackageTree.root)/../shared/images"
    package static let alpineRelease = "3.20.3"

    /// The busybox image's layout; it has one untagged image.
    package static let busybox = "\(directory)/busybox-oci"

    /// The tar, not compressed any more, of Alpine for `x86_64` or `aarch64`.
    package static func alpineTar(_ machine: String) throws -> [UInt8] {
        let name = "\(directory)/alpine-minirootfs-\(alpineRelease)-\(machine).tar.gz"
        return try Tool.check("gzip", ["-dc", name]).stdoutBytes
    }

    /// Writes a layout with Alpine for amd64 and arm64 under one index, tagged `latest` and `3.20.3`. The layer blobs
    /// are the files as Alpine ships them.
    @discardableResult
    package static func alpineLayout(_ path: String) throws -> OCILayout {
        let layout = try OCILayout(path)
        var manifests: [Descriptor] = []
        for (machine, platform) in [
            ("x86_64", Platform(os: "linux", architecture: "amd64")),
            ("aarch64", Platform(os: "linux", architecture: "arm64", variant: "v8")),
        ] {
            let blob = try File.readAll("\(directory)/alpine-minirootfs-\(alpineRelease)-\(machine).tar.gz")
            let descriptor = try layout.blob(blob, mediaType: MediaType.ociLayer + "+gzip")
            let layer = OCILayout.Layer(descriptor: descriptor, diffID: Digest.of(try alpineTar(machine)))
            manifests.append(try layout.image([layer], platform: platform))
        }
        let index = try layout.index(manifests)
        try layout.tag(index, "latest")
        try layout.tag(index, alpineRelease)
        return layout
    }
}
