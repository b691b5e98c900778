internal import Glibc

extension Directory {
    /// Gives the owner of `directory`, and of all below it, what an owner needs to read and remove it: the modes of programs
    /// may say otherwise. For who has no other rights; follows no link.
    package static func grantOwner(_ directory: Int32) throws(Errno) {
        for entry in try entries(directory) {
            let status = try File.status(entry.bytes, at: directory)
            guard status.isDirectory || status.isRegular else { continue }
            let wanted: UInt32 = status.isDirectory ? 0o700 : 0o600
            if status.mode & wanted != wanted {
                try File.setMode(entry.bytes, at: directory, status.mode | wanted)
            }
            guard status.isDirectory else { continue }
            let child = try File.open(entry.bytes, O_RDONLY | O_DIRECTORY, at: directory)
            try grantOwner(child.raw)
        }
    }
}
