internal import Glibc
internal import Sys

/// Reads a file of an image before its root file system is mounted: the merged view of its layer directories, with
/// overlayfs's rules for whiteouts and opaque directories. Links are followed inside the image only.
struct LayerView {
    private static let maximumLinks = 40
    private let layers: [Layer]
    private let marks: OverlayMarks

    /// One layer's directory, opened when it is first asked.
    private final class Layer {
        let path: String
        private var directory: OwnedFD?

        init(_ path: String) { self.path = path }

        func root() throws(Errno) -> Int32 {
            if directory == nil { directory = try File.open(path, O_PATH | O_DIRECTORY) }
            return directory?.raw ?? -1
        }

        func open(_ name: String, _ flags: Int32) throws(Errno) -> OwnedFD {
            try File.open(name, flags | O_NOFOLLOW, at: try root(), resolve: .inside)
        }
    }

    private enum Found {
        case missing, directory, other
        /// A parent is a link in some layer: only a walk part by part can tell.
        case linkedParent
        case link(String)
        case file(Layer)
    }

    /// Layer directories, top first, and the names of their marks.
    init(layers: [String], marks: OverlayMarks) {
        self.layers = layers.map { Layer($0) }
        self.marks = marks
    }

    /// The regular file at `path`, at most `limit` bytes; nil when there is none. A fifo, a device or a file that is too
    /// large is an error: an image may not make us wait or fill our memory.
    func readFile(_ path: String, limit: Int) throws(SystemFailure) -> [UInt8]? {
        let parts = Path.parts(path)
        // All at once where no link is in the way, which is nearly always.
        if case .file(let layer) = try find(parts) { return try read(layer, parts, limit: limit) }
        return try walk(parts, shown: path, limit: limit)
    }

    private func walk(_ parts: [String], shown path: String, limit: Int) throws(SystemFailure) -> [UInt8]? {
        var rest = parts
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
            case .missing, .linkedParent: return nil
            case .directory: done.append(part)
            case .link(let target):
                links += 1
                if links > LayerView.maximumLinks { throw SystemFailure("open", path, .loop) }
                if target.utf8.first == UInt8(ascii: "/") { done = [] }
                rest = Path.parts(target) + rest
            case .file(let layer):
                guard rest.isEmpty else { return nil }
                return try read(layer, done + [part], limit: limit)
            case .other: throw SystemFailure("read", "\(path) of the image: not a regular file", .invalid)
            }
        }
        throw SystemFailure("read", path, .isDirectory)
    }

    /// As `joined` makes it, without what that takes at its first use.
    private static func path(_ parts: [String]) -> String {
        var path = ""
        for part in parts { path += path.isEmpty ? part : "/" + part }
        return path
    }

    /// The topmost entry for `parts`.
    private func find(_ parts: [String]) throws(SystemFailure) -> Found {
        let path = LayerView.path(parts)
        for layer in layers {
            do throws(Errno) {
                let entry = try layer.open(path, O_PATH)
                return try classify(entry.raw, parts, layer)
            } catch .loop {
                // O_NOFOLLOW with O_PATH opens a link in the last place, so it is among the parents.
                return .linkedParent
            } catch {
                if error != .noEntry, error != .notDirectory {
                    throw SystemFailure("look up", "/\(path) in layer \(layer.path)", error)
                }
                if hidden(parts, in: layer) { return .missing }
            }
        }
        return .missing
    }

    private func classify(_ fd: Int32, _ parts: [String], _ layer: Layer) throws(Errno) -> Found {
        let status = try File.status(fd)
        return switch status.kind {
        case .directory: .directory
        case .regular: try isMarked(parts, status, in: layer) ? .missing : .file(layer)
        case .link: .link(try File.readLink("", at: fd))
        default: status.isWhiteout ? .missing : .other
        }
    }

    private func isMarked(_ parts: [String], _ status: FileStatus, in layer: Layer) throws(Errno) -> Bool {
        guard status.size == 0, let name = parts.last.flatMap({ PathBytes($0.utf8) }) else { return false }
        let parent = try layer.open(LayerView.path(["."] + parts.dropLast()), O_RDONLY | O_DIRECTORY)
        return try marks.isWhiteout(name, status, at: parent.raw)
    }

    /// Whether `layer` hides what lower layers have at `parts`: a parent that is opaque, a whiteout or no directory.
    private func hidden(_ parts: [String], in layer: Layer) -> Bool {
        for count in 1..<max(parts.count, 1) {
            let path = layer.path + "/" + LayerView.path(Array(parts.prefix(count)))
            guard let status = try? File.status(path) else { return false }
            if !status.isDirectory || (try? marks.hidesBelow(path)) == true { return true }
        }
        return false
    }

    private func read(_ layer: Layer, _ parts: [String], limit: Int) throws(SystemFailure) -> [UInt8] {
        let path = LayerView.path(parts)
        do throws(Errno) {
            let file = try layer.open(path, O_RDONLY | O_NONBLOCK | O_NOCTTY)
            return try File.readAll(file.raw, limit: limit)
        } catch {
            throw SystemFailure("read", "/\(path) of the image", error)
        }
    }
}
