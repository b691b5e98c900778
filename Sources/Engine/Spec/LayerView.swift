internal import Glibc
internal import Sys

/// Reads a file of an image before its root file system is mounted: the merged view of its layer directories, with
/// overlayfs's rules for whiteouts and opaque directories. Links are followed inside the image only.
struct LayerView {
    /// Layer directories, top first.
    let layers: [String]

    private static let maximumLinks = 40

    /// The regular file at `path`, at most `limit` bytes; nil when there is none. A fifo, a device or a file that is too
    /// large is an error: an image may not make us wait or fill our memory.
    func readFile(_ path: String, limit: Int) throws(SystemFailure) -> [UInt8]? {
        var rest = path.split(separator: "/").map(String.init)
        var done: [String] = []
        var links = 0
        while !rest.isEmpty {
            let part = rest.removeFirst()
            if part == "." { continue }
            if part == ".." {
                _ = done.popLast()
                continue
            }
            switch try find(done + [part]) {
            case .missing: return nil
            case .directory: done.append(part)
            case .link(let target):
                links += 1
                if links > LayerView.maximumLinks { throw SystemFailure("open", path, .loop) }
                if target.hasPrefix("/") { done = [] }
                rest = target.split(separator: "/").map(String.init) + rest
            case .file(let layer):
                guard rest.isEmpty else { return nil }
                return try read(layer, (done + [part]).joined(separator: "/"), shown: path, limit: limit)
            case .other: throw SystemFailure("read", "\(path) of the image: not a regular file", .invalid)
            }
        }
        throw SystemFailure("read", path, .isDirectory)
    }

    private enum Found {
        case missing, directory, other
        case link(String)
        case file(layer: String)
    }

    /// The topmost entry for `parts`, whose parents are known to be directories in the merged view.
    private func find(_ parts: [String]) throws(SystemFailure) -> Found {
        let path = parts.joined(separator: "/")
        for layer in layers {
            do throws(Errno) {
                let root = try File.open(layer, O_PATH | O_DIRECTORY, at: File.workingDirectory)
                let entry: OwnedFD
                do throws(Errno) {
                    entry = try File.open(
                        path, O_PATH | O_NOFOLLOW, at: root.raw, resolve: [.beneath, .noSymlinks])
                } catch .loop {
                    // O_NOFOLLOW with O_PATH opens a link; ELOOP is a link among the parents, which this layer has
                    // where the merged view has a directory of an upper one.
                    return .missing
                }
                return try classify(entry.raw, layer: layer)
            } catch {
                if error != .noEntry, error != .notDirectory {
                    throw SystemFailure("look up", "/\(path) in layer \(layer)", error)
                }
                if try hidden(parts, in: layer) { return .missing }
            }
        }
        return .missing
    }

    private func classify(_ fd: Int32, layer: String) throws(Errno) -> Found {
        let status = try File.status(fd)
        return switch status.kind {
        case .directory: .directory
        case .regular: .file(layer: layer)
        case .link: .link(try File.readLink("", at: fd))
        default: status.isWhiteout ? .missing : .other
        }
    }

    /// Whether `layer` hides what lower layers have at `parts`: a parent that is opaque, a whiteout or no directory.
    private func hidden(_ parts: [String], in layer: String) throws(SystemFailure) -> Bool {
        for count in 1..<max(parts.count, 1) {
            let path = layer + "/" + parts.prefix(count).joined(separator: "/")
            guard let status = try? File.status(path) else { return false }
            if !status.isDirectory || File.isOpaque(path) { return true }
        }
        return false
    }

    private func read(_ layer: String, _ path: String, shown: String, limit: Int) throws(SystemFailure) -> [UInt8] {
        do throws(Errno) {
            let root = try File.open(layer, O_PATH | O_DIRECTORY, at: File.workingDirectory)
            let flags = O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY
            let file = try File.open(path, flags, at: root.raw, resolve: [.beneath, .noSymlinks])
            return try File.readAll(file.raw, limit: limit)
        } catch {
            throw SystemFailure("read", "\(shown) of the image", error)
        }
    }
}
