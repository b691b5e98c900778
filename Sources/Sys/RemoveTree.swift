internal import CLinux
internal import Glibc

extension Directory {
    /// Removes `name` and all below it, never following a link and never deeper in the stack than one call: a hostile
    /// image may hold directories ten thousand deep. A missing name is no error. Stays on one file system: a mount
    /// point inside makes it fail with EBUSY rather than empty what is mounted there.
    package static func removeTree(_ name: String, at directory: Int32 = AT_FDCWD) throws(Errno) {
        guard let path = PathBytes(Array(name.utf8)) else { throw Errno.invalid }
        try removeTree(path, at: directory)
    }

    /// As `removeTree(_:at:)` with the name byte for byte.
    package static func removeTree(_ name: PathBytes, at directory: Int32) throws(Errno) {
        do throws(Errno) {
            try File.unlink(name, at: directory)
            return
        } catch .noEntry {
            return
        } catch {
            if error != .isDirectory, error != .notPermitted { throw error }
        }
        let top = try File.open(name, O_RDONLY | O_DIRECTORY, at: directory)
        let device = try File.status(top.raw).device
        try flatten(top.raw, device: device)
        try remove(name, at: directory)
    }

    /// Empties `top` by moving every sub-directory of a directory that has some up into `top`, until all are leaves:
    /// needs two descriptors whatever the depth.
    private static func flatten(_ top: Int32, device: UInt64) throws(Errno) {
        var serial = 0
        while true {
            let children = try names(top)
            if children.isEmpty { return }
            for child in children {
                do throws(Errno) {
                    try File.unlink(child, at: top)
                } catch .isDirectory {
                    try empty(child, of: top, device: device, serial: &serial)
                } catch .notPermitted {
                    try empty(child, of: top, device: device, serial: &serial)
                }
            }
        }
    }

    private static func empty(_ name: PathBytes, of top: Int32, device: UInt64, serial: inout Int) throws(Errno) {
        let child = try File.open(name, O_RDONLY | O_DIRECTORY, at: top)
        if try File.status(child.raw).device != device { throw Errno.busy }
        for entry in try names(child.raw) {
            do throws(Errno) {
                try File.unlink(entry, at: child.raw)
            } catch {
                if error != .isDirectory, error != .notPermitted { throw error }
                do throws(Errno) {
                    try remove(entry, at: child.raw)
                } catch .notEmpty {
                    serial += 1
                    let moved = ".removing-\(serial)-\(Random.hex(bytes: 4))"
                    guard let target = PathBytes(Array(moved.utf8)) else { throw Errno.invalid }
                    try File.rename(entry, at: child.raw, to: target, at: top, noReplace: true)
                }
            }
        }
        try remove(name, at: top)
    }
}
