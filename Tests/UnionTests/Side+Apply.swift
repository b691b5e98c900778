import Glibc
import Sys

extension Side {
    /// Makes the call; what it said, an error by its name.
    func apply(_ operation: Operation) -> String {
        do throws(Errno) {
            return try perform(operation)
        } catch {
            return error.name
        }
    }

    private func folder(of place: Place) throws(Errno) -> Folder {
        try folder(place.parentBytes, from: place.isHeld ? held ?? root : root)
    }

    private func perform(_ operation: Operation) throws(Errno) -> String {
        switch operation {
        case .write(let place, let flags, let mode, let offset, let count):
            return try write(place, flags, mode, offset, count)
        case .read(let place): return try contents(place.bytes, try folder(of: place))
        case .truncate(let place, let size): try truncate(place.bytes, try folder(of: place), size)
        case .chmod(let place, let mode): try setMode(place.bytes, try folder(of: place), mode)
        case .chown(let place, let user, let group): try setOwner(place.bytes, try folder(of: place), user, group)
        case .touch(let place, let change): try setTimes(place.bytes, try folder(of: place), change)
        case .setAttribute(let place, let attribute, let condition):
            try setAttribute(attribute.bytes, place.bytes, try folder(of: place), attribute.value, condition)
        case .getAttribute(let place, let attribute):
            let value = try self.attribute(attribute.bytes, place.bytes, try folder(of: place))
            return value.map { "\($0)" } ?? "none"
        case .removeAttribute(let place, let attribute):
            try removeAttribute(attribute.bytes, place.bytes, try folder(of: place))
        case .listAttributes(let place):
            return try attributes(place.bytes, try folder(of: place)).map(\.description).sorted().joined(separator: " ")
        case .list(let place):
            return try shownNames(try folder(place.bytes, from: try folder(of: place))).joined(separator: " ")
        case .stat(let place):
            return Snapshot.line(try status(place.bytes, try folder(of: place)))
        case .readLink(let place): return try readLink(place.bytes, try folder(of: place)).description
        case .hold(let place): held = try folder(place.bytes, from: try folder(of: place))
        default: try change(operation)
        }
        return "done"
    }

    private func change(_ operation: Operation) throws(Errno) {
        switch operation {
        case .link(let from, let to):
            let (source, target) = (try folder(of: from), try folder(of: to))
            // `KnownDifference.linksOfNodes`.
            if marks == .user, try status(from.bytes, source).kind != .regular { return }
            try link(from.bytes, source, to.bytes, target)
        case .symlink(let target, let place):
            guard let text = PathBytes(Array(target.utf8)) else { throw .invalid }
            try symlink(text, place.bytes, try folder(of: place))
        case .rename(let from, let to, let flags):
            let (source, target) = (try folder(of: from), try folder(of: to))
            try rename(from.bytes, source, to.bytes, target, flags)
        case .unlink(let place): try unlink(place.bytes, try folder(of: place))
        case .rmdir(let place): try rmdir(place.bytes, try folder(of: place))
        case .mkdir(let place, let mode): try mkdir(place.bytes, try folder(of: place), mode)
        case .mknod(let place, let kind, let mode, let major, let minor):
            try mknod(place.bytes, try folder(of: place), kind, mode, major, minor)
        default: throw .invalid
        }
    }

    private func write(
        _ place: Place, _ flags: Int32, _ mode: UInt32, _ offset: Int64, _ count: Int
    ) throws(Errno) -> String {
        let folder = try folder(of: place)
        // `UnionTree` opens files only, and a fifo would wait.
        if let kind = try? status(place.bytes, folder).kind, flags & O_EXCL == 0 {
            let isReading = flags & (O_ACCMODE | O_CREAT | O_TRUNC) == O_RDONLY
            if ![.regular, .directory].contains(kind) || (kind == .directory && isReading) { return "not a file" }
        }
        let file = try open(place.bytes, flags, mode, folder)
        if flags & O_ACCMODE != O_RDONLY {
            let data = [UInt8](repeating: UInt8(truncatingIfNeeded: count &+ Int(offset)), count: count)
            try check { lseek(file.raw, off_t(offset), flags & O_APPEND != 0 ? SEEK_END : SEEK_SET) }
            try File.write(file.raw, data)
        }
        try file.close()
        return "done"
    }

    func contents(_ name: PathBytes, _ folder: Folder) throws(Errno) -> String {
        if try status(name, folder).kind != .regular { return "not a file" }
        let file = try open(name, O_RDONLY, 0, folder)
        let bytes = try File.readAll(file.raw, limit: 1 << 22)
        // FNV-1a: only has to differ where contents do.
        let hash = bytes.reduce(UInt64(0xcbf2_9ce4_8422_2325)) { ($0 ^ UInt64($1)) &* 0x100_0000_01b3 }
        return "\(bytes.count) bytes \(String(hash, radix: 16))"
    }

    /// Without the bare whiteouts of `KnownDifference.bareWhiteouts`.
    func shownNames(_ folder: Folder) throws(Errno) -> [String] {
        var shown: [String] = []
        for name in try names(folder) {
            do throws(Errno) {
                _ = try status(name, folder)
            } catch .noEntry {
                continue
            } catch {
                // Shown by readdir, and refused by lookup.
            }
            shown.append(name.description)
        }
        return shown.sorted()
    }
}
