internal import CLinux
internal import Glibc
internal import Sys
internal import Testing

/// A directory of one test, removed with all below it when the value goes away. A mount that is left inside is a failed
/// test, and is taken off so that the next one starts clean. What ends by itself after a test, the monitor of a container
/// that was killed, may take some seconds.
package final class Scratch: Sendable {
    package let path: String

    /// Makes `PARENT/runimg-test-XXXXXX`, mode 0700. /var/tmp is on the machine's disk, where overlayfs can have its
    /// upper directory; /tmp may be a tmpfs.
    package init(below parent: String = "/var/tmp") throws {
        var template = Array("\(parent)/runimg-test-XXXXXX\0".utf8CString)
        guard mkdtemp(&template) != nil else { throw SystemFailure("mkdtemp", parent, Errno.current) }
        path = template.withUnsafeBufferPointer {
            String(decoding: $0.prefix { $0 != 0 }.map(UInt8.init), as: UTF8.self)
        }
    }

    deinit {
        _ = Wait.until(seconds: 5) { Scratch.mounts(below: path).isEmpty }
        for mount in Scratch.mounts(below: path).reversed() {
            Issue.record("left mounted: \(mount)")
            umount2(mount, Int32(MNT_DETACH))
        }
        let isGone = Wait.until(seconds: 5) { (try? Directory.removeTree(path)) != nil }
        if isGone { return }
        do {
            try Directory.removeTree(path)
        } catch {
            Issue.record("remove \(path): \(error)")
        }
    }

    /// The path of `name` inside.
    package func callAsFunction(_ name: String) -> String { "\(path)/\(name)" }

    /// Makes a directory inside, with what is missing above it, and returns its path.
    @discardableResult
    package func directory(_ name: String, mode: UInt32 = 0o755) throws -> String {
        try Directory.makePath(self(name), mode: mode)
        return self(name)
    }

    /// Writes a file inside, making its directory, and returns its path.
    @discardableResult
    package func file(_ name: String, _ contents: String, mode: UInt32 = 0o644) throws -> String {
        try file(name, Array(contents.utf8), mode: mode)
    }

    @discardableResult
    package func file(_ name: String, _ contents: [UInt8], mode: UInt32 = 0o644) throws -> String {
        let path = self(name)
        try Directory.makePath(Path.split(path).parent, mode: 0o755)
        let file = try File.open(path, O_WRONLY | O_CREAT | O_TRUNC, mode: mode)
        try File.write(file.raw, contents)
        let fd = file.raw
        try check { fchmod(fd, mode) }
        try file.close()
        return path
    }

    /// Mount points of this process's mount namespace at or below `path`.
    package static func mounts(below path: String) -> [String] {
        guard let bytes = try? File.readAll("/proc/self/mountinfo", limit: 64 << 20) else { return [] }
        return String(decoding: bytes, as: UTF8.self).split(separator: "\n").compactMap { line in
            let fields = line.split(separator: " ")
            guard fields.count > 4 else { return nil }
            let point = String(fields[4])
            return point == path || point.hasPrefix(path + "/") ? point : nil
        }
    }
}
