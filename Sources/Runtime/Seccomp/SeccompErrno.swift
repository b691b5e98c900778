internal import Sys

/// Errno numbers of profiles, which may be names such as `EPERM`.
enum SeccompErrno {
    /// MAX_ERRNO of the kernel: greater ones would look like success.
    static let maximum: UInt32 = 4095

    static func number(_ text: String) -> UInt32? {
        if let number = UInt32(text) { return number <= maximum ? number : nil }
        // The C library knows the names; the highest number in use is EHWPOISON, 133.
        return (Int32(1)...133).first { Errno(rawValue: $0).name == text }.map { UInt32($0) }
    }
}
