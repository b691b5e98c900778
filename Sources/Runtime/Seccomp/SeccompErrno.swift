internal import Sys

/// Errno numbers by name, for profiles that write `EPERM`.
enum SeccompErrno {
    static func number(_ name: String, field: String) throws(SeccompError) -> UInt32 {
        // The C library knows the names; the highest number in use is EHWPOISON, 133.
        for number in Int32(1)...133 where Errno(rawValue: number).name == name { return UInt32(number) }
        if let number = UInt32(name), number <= 4095 { return number }
        throw .errnoValue(name, field: field)
    }
}
