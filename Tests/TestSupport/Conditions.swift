internal import Glibc
internal import Sys

/// What a test may need of the machine: for `.enabled(if:)`, so that a test which cannot run is counted as skipped with
/// its reason.
package enum Conditions {
    /// The executables were built with a sanitizer, which wants memory of its own.
    package static let isSanitized = getenv("RUNIMG_TEST_SANITIZED") != nil

    package static let isRoot = geteuid() == 0

    package static func has(_ tools: String...) -> Bool { tools.allSatisfy { Tool.find($0) != nil } }

    /// A registry, and what fills it.
    package static let hasRegistry = has("docker-registry", "skopeo")

    package static let hasSharedImages = File.exists(SharedImages.directory)

    /// overlayfs can be mounted by us.
    package static let hasOverlay: Bool = {
        guard isRoot, let bytes = try? File.readAll("/proc/filesystems", limit: 1 << 20) else { return false }
        return String(decoding: bytes, as: UTF8.self).contains("\toverlay\n")
    }()

    /// The v1 controllers with a hierarchy of their own, or those of the v2 one, be it alone or beside them.
    package static func hasController(_ name: String) -> Bool {
        if File.exists("/sys/fs/cgroup/\(name)/cgroup.procs") { return true }
        return ["", "/unified"].contains { place in
            let all = try? File.readAll("/sys/fs/cgroup\(place)/cgroup.controllers", limit: 4096)
            return String(decoding: all ?? [], as: UTF8.self).split { " \n".contains($0) }.contains { $0 == name }
        }
    }

    /// Devices can be denied: by the v1 controller, or by a program on v2 alone.
    package static let hasDeviceControl =
        isRoot && (hasController("devices") || File.exists("/sys/fs/cgroup/cgroup.controllers"))

    /// The layouts that `make fixtures` builds.
    package static let hasFixtures = File.exists("\(Fixtures.directory)/.complete")

    package static let hasBinaries = Tool.find(Runimg.path) != nil && Tool.find(Runimg.workerPath) != nil
}

/// Places in the package's own tree.
package enum PackageTree {
    package static let root: String = {
        let file = #filePath
        let parts = file.split(separator: "/").dropLast(3)
        return "/" + parts.joined(separator: "/")
    }()
}

/// The OCI layouts of `rootfs-fixtures/make-fixtures.sh`.
package enum Fixtures {
    package static let directory = "\(PackageTree.root)/rootfs-fixtures/out"

    package static func layout(_ name: String) -> String { "\(directory)/\(name)" }

    /// What `rootfs-fixtures/make-servers.sh` makes of Debian's packages.
    package static let servers = "\(directory)/servers"
}
