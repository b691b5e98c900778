internal import Glibc
internal import Sys

/// fuse-overlayfs(1): overlayfs in a program, for where the kernel's is refused. Its upper directory has the kernel's
/// format, so either goes on where the other stopped.
package struct FuseOverlayfs: RootfsDriver {
    package static let name = "fuse-overlayfs"
    package static let device = "/dev/fuse"
    private static let places = ["/usr/bin", "/usr/local/bin", "/bin", "/usr/sbin", "/usr/local/sbin"]

    /// Longer than any list of layers; one argument of execve(2) takes 128 KiB.
    private static let longestOptions = 128 << 10 - 1

    package init() {}

    /// The program's path; nil where it is not installed.
    package static var program: String? {
        places.lazy.map { "\($0)/fuse-overlayfs" }.first { File.exists($0) }
    }

    /// What it lacks here; nil where it can be used.
    package static var obstacle: String? {
        if program == nil { return "fuse-overlayfs is not installed" }
        do throws(Errno) {
            _ = try File.open(device, O_RDWR)
            return nil
        } catch .noEntry {
            return "\(device) is not there (modprobe fuse)"
        } catch {
            return "\(device) can't be opened: \(error)"
        }
    }

    /// Why it can't show layers in `directory`; nil where it can. It knows a deleted file by a device 0:0 or by a name of
    /// its own, and not by overlayfs's marked files.
    package static func obstacle(on directory: String) -> String? {
        guard FileSystemName.isOverlay(directory) else { return nil }
        return "\(name) knows deleted files by a device 0:0, which overlayfs does not make"
    }

    package func mount(_ stack: LayerStack) throws(RootfsError) -> RootfsMount {
        if stack.layers.isEmpty { throw .noLayers }
        guard let program = FuseOverlayfs.program, FuseOverlayfs.obstacle == nil else {
            throw .driverMissing(FuseOverlayfs.name, FuseOverlayfs.obstacle ?? "it is not installed")
        }
        var options = ["lowerdir=" + stack.layers.map { FuseOverlayfs.escape($0) }.joined(separator: ":")]
        if let writable = stack.writable {
            options += [
                "upperdir=" + FuseOverlayfs.escape(writable.upper), "workdir=" + FuseOverlayfs.escape(writable.work),
            ]
            if stack.discardable { options.append("volatile") }
        }
        let text = options.joined(separator: ",")
        if text.utf8.count > FuseOverlayfs.longestOptions {
            throw .optionsTooLong(
                layers: stack.layers.count, bytes: text.utf8.count, limit: FuseOverlayfs.longestOptions)
        }
        return RootfsMount(
            step: .program([program, "-o", text, stack.mountPoint]), mountPoint: stack.mountPoint,
            readOnly: stack.readOnly)
    }

    private static func escape(_ path: String) -> String {
        path.flatMap { "\\,:".contains($0) ? "\\\($0)" : "\($0)" }.reduce(into: "") { $0.append($1) }
    }
}
