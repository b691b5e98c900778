internal import CLinux
internal import Glibc

extension Directory {
    /// Removes `name` and all below it, never following a link and never deeper in the stack than one call: a hostile
    /// image may hold directories ten thousand deep. A missing name is no error. Stays on one file system: a mount
    /// point inside makes it fail with EBUSY rather than empty what is mounted there.
    package static func removeTree(_ name: String, at directory: Int32 = AT_FDCWD) throws(Errno) {
        do throws(Errno) {
            try File.unlink(name, at: directory)
            return
        } catch .noEntry {
            return
        } catch {
            if error != .isDirectory, error != .notPermitted { throw error }
        }
        let top = try File.open(name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW, at: directory)
        let device = try File.status(top.raw).device
        try flatten(top.raw, device: device)
        try remove(name, at: directory)
    }

    /// Empties `top` by moving every sub-directory of a directory that has some up into `top`, until all are leaves:
    /// needs two descriptors whatever the depth.
    private static func flatten(_ top: Int32, device: UInt64) throws(Errno) {
        var serial = 0
        while true {
            let children = try entries(top)
            if children.isEmpty { return }
            for child in children {
                do throws(Errno) {
                    try File.unlink(child.name, at: top)
                } catch .isDirectory {
                    try empty(child.name, of: top, device: device, serial: &serial)
                } catch .notPermitted {
                    try empty(child.name, of: top, device: device, serial: &serial)
                }
            }
        }
    }

    private static func empty(_ name: String, of top: Int32, device: UInt64, serial: inout Int) throws(Errno) {
        let child = try File.open(name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW, at: top)
        if try File.status(child.raw).device != device { throw Errno.busy }
        for entry in try entries(child.raw) {
            do throws(Errno) {
                try File.unlink(entry.name, at: child.raw)
            } catch {
                if error != .isDirectory, error != .notPermitted { throw error }
                do throws(Errno) {
                    try remove(entry.name, at: child.raw)
                } catch .notEmpty {
                    serial += 1
                    let moved = ".removing-\(serial)-\(Random.hex(bytes: 4))"
                    try File.rename(entry.name, at: child.raw, to: moved, at: top, noReplace: true)
                }
            }
        }
        try remove(name, at: top)
    }
}
