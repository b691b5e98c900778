internal import CLinux
internal import Glibc

/// A file that is nowhere but in memory and never gets longer (memfd_create(2), F_SEAL_GROW): for what a program that
/// outlives us may print. What comes when it is full is refused.
package struct MemoryFile: ~Copyable {
    package let fd: OwnedFD
    private let size: Int

    /// `size`: bytes.
    package init(_ name: String, size: Int) throws(Errno) {
        let made = OwnedFD(adopting: try check { memfd_create(name, UInt32(MFD_CLOEXEC) | UInt32(MFD_ALLOW_SEALING)) })
        try check { ftruncate(made.raw, size) }
        try check { clinux_fcntl(made.raw, F_ADD_SEALS, Int(F_SEAL_GROW | F_SEAL_SHRINK)) }
        fd = made
        self.size = size
    }

    /// One without length, for its lock alone.
    package static func anonymous(_ name: String) throws(Errno) -> OwnedFD {
        OwnedFD(adopting: try check { memfd_create(name, UInt32(MFD_CLOEXEC)) })
    }

    /// What was written so far.
    package var text: String {
        let bytes = (try? File.bytes(fd.raw, at: 0, count: size)) ?? []
        return String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
    }
}
