import Glibc
import Sys

/// One thing in a layer; what can't be made because of an earlier one is left out.
enum LayerStep: CustomStringConvertible {
    case directory(String, mode: UInt32, isOpaque: Bool)
    case file(String, mode: UInt32, owner: UInt32, size: Int, hole: Int64)
    case symlink(String, target: String)
    case node(String, FileStatus.Kind)
    case whiteout(String)
    /// A whiteout that is an empty file with an attribute.
    case markedWhiteout(String)
    case link(String, to: String)
    case attribute(String, Attribute)

    var description: String {
        switch self {
        case .directory(let path, let mode, let isOpaque):
            "mkdir \(path) \(String(mode, radix: 8))\(isOpaque ? " opaque" : "")"
        case .file(let path, let mode, let owner, let size, let hole):
            "file \(path) \(String(mode, radix: 8)) owner \(owner) size \(size) behind a hole of \(hole)"
        case .symlink(let path, let target): "symlink \(path) -> \(target)"
        case .node(let path, let kind): "\(kind) \(path)"
        case .whiteout(let path): "whiteout \(path)"
        case .markedWhiteout(let path): "marked whiteout \(path)"
        case .link(let path, let target): "link \(path) to \(target)"
        case .attribute(let path, let attribute): "attribute \(path) \(attribute.name)"
        }
    }

    /// Makes the layer in an empty directory, borrowed. All times are of long ago.
    static func build(_ steps: [LayerStep], in layer: Int32, _ marks: OverlayMarks) throws(Errno) {
        for step in steps {
            do throws(Errno) {
                try step.make(in: layer, marks)
            } catch {
                let expected: [Errno] = [
                    .exists, .notDirectory, .noEntry, .loop, .notPermitted, .notSupported, .isDirectory, .accessDenied,
                ]
                if !expected.contains(error) { throw error }
            }
        }
        try age(layer, marks, depth: 0)
    }

    private static func age(_ directory: Int32, _ marks: OverlayMarks, depth: Int64) throws(Errno) {
        let isOpaque = try marks.hidesBelow(directory)
        for name in try Directory.names(directory) {
            // It kept other steps from making the name, as a device does; there is nothing else for it to say.
            if isOpaque, try marks.isMarkedFile(name, try File.status(name, at: directory), at: directory) {
                try File.unlink(name, at: directory)
                continue
            }
            if try File.status(name, at: directory).isDirectory {
                let child = try File.open(name, O_RDONLY | O_DIRECTORY, at: directory)
                try age(child.raw, marks, depth: depth + 1)
            }
            let place = name.bytes.reduce(Int64(0)) { ($0 * 31 + Int64($1)) % 97 }
            let time = FileTime(seconds: 1_000_000_000 + depth * 100 + place, nanoseconds: 0)
            try File.setTimes(name, at: directory, modified: time)
        }
        try File.setTimes(directory, modified: FileTime(seconds: 1_000_000_000, nanoseconds: 0))
    }

    private func make(in layer: Int32, _ marks: OverlayMarks) throws(Errno) {
        switch self {
        case .directory(let path, let mode, let isOpaque):
            let (parent, place) = try LayerStep.parent(path, layer)
            try Directory.make(place.bytes, mode: 0o755, at: parent.raw)
            try File.setMode(place.bytes, at: parent.raw, mode)
            if isOpaque {
                try ExtendedAttributes.set(place.bytes, at: parent.raw, marks.opaque, OverlayMarks.opaqueValue)
            }
        case .file(let path, let mode, let owner, let size, let hole):
            let (parent, place) = try LayerStep.parent(path, layer)
            let file = try File.open(place.bytes, O_WRONLY | O_CREAT | O_EXCL, mode: 0o600, at: parent.raw)
            try check { lseek(file.raw, off_t(hole), SEEK_SET) }
            try File.write(file.raw, [UInt8](repeating: UInt8(truncatingIfNeeded: size + 1), count: size))
            try File.setOwner(file.raw, user: owner, group: owner)
            try File.setMode(file.raw, mode)
        case .symlink(let path, let target):
            let (parent, place) = try LayerStep.parent(path, layer)
            guard let text = PathBytes(Array(target.utf8)) else { throw .invalid }
            try File.symlink(text, place.bytes, at: parent.raw)
        case .node(let path, let kind):
            let (parent, place) = try LayerStep.parent(path, layer)
            try File.makeNode(place.bytes, mode: kind.modeBits | 0o644, major: 1, minor: 3, at: parent.raw)
        case .whiteout(let path):
            let (parent, place) = try LayerStep.parent(path, layer)
            if try OverlayMarks.makeDevice(place.bytes, at: parent.raw) { return }
            try LayerStep.markedWhiteout(path).make(in: layer, marks)
        case .markedWhiteout(let path):
            let (parent, place) = try LayerStep.parent(path, layer)
            let file = try File.open(place.bytes, O_WRONLY | O_CREAT | O_EXCL, mode: 0o600, at: parent.raw)
            try ExtendedAttributes.set(file.raw, marks.whiteout, [UInt8(ascii: "y")])
            let mark = OverlayMarks.xwhiteoutsValue
            if try ExtendedAttributes.get(parent.raw, marks.opaque) == nil {
                try ExtendedAttributes.set(parent.raw, marks.opaque, mark)
            }
        case .link(let path, let target):
            let (parent, place) = try LayerStep.parent(path, layer)
            let (source, original) = try LayerStep.parent(target, layer)
            // overlayfs makes no link to a whiteout, and nor does an extractor.
            let status = try File.status(original.bytes, at: source.raw)
            if status.isWhiteout { throw .notPermitted }
            if FileSystemName.isOverlay(layer), try marks.isMarkedFile(original.bytes, status, at: source.raw) {
                throw .notPermitted
            }
            try File.link(original.bytes, at: source.raw, to: place.bytes, at: parent.raw)
        case .attribute(let path, let attribute):
            let (parent, place) = try LayerStep.parent(path, layer)
            if attribute.name.hasPrefix("\(marks.prefix)") { throw .notPermitted }
            try ExtendedAttributes.set(place.bytes, at: parent.raw, attribute.bytes, attribute.value)
        }
    }

    private static func parent(_ path: String, _ layer: Int32) throws(Errno) -> (OpenFolder, Place) {
        let place = Place(path)
        var current = OpenFolder(try Directory.open(".", at: layer))
        for part in place.parent.split(separator: "/") {
            let name = PathBytes(Array(part.utf8)) ?? PathBytes("")
            do throws(Errno) {
                try Directory.make(name, mode: 0o755, at: current.raw)
            } catch .exists {}
            current = OpenFolder(try File.open(name, O_RDONLY | O_DIRECTORY, at: current.raw))
        }
        return (current, place)
    }
}
