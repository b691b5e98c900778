internal import CLinux
internal import Glibc

/// Extended attributes (xattr(7)) of an open file, or of a name in a directory for what cannot be opened.
package enum ExtendedAttributes {
    /// XATTR_SIZE_MAX of the kernel.
    package static let largestValue = 65536

    package static func set(_ fd: Int32, _ name: PathBytes, _ value: [UInt8]) throws(Errno) {
        try name.withCString { (text) throws(Errno) in
            _ = try check { value.withUnsafeBytes { fsetxattr(fd, text, $0.baseAddress, $0.count, 0) } }
        }
    }

    /// Of a link or a device: fsetxattr(2) refuses O_PATH descriptors, so the name goes through /proc. A link is not
    /// followed.
    package static func set(
        _ path: PathBytes, at directory: Int32, _ name: PathBytes, _ value: [UInt8], _ condition: Condition = .none
    ) throws(Errno) {
        let whole = try throughProc(path, directory)
        try whole.withCString { (file) throws(Errno) in
            try name.withCString { (text) throws(Errno) in
                _ = try check {
                    value.withUnsafeBytes { lsetxattr(file, text, $0.baseAddress, $0.count, condition.rawValue) }
                }
            }
        }
    }

    /// When an attribute is set: always, only where there is none (EEXIST), only where there is one (ENODATA).
    package enum Condition: Int32, Sendable, Hashable {
        case none = 0
        case create = 1
        case replace = 2
    }

    package static func remove(_ path: PathBytes, at directory: Int32, _ name: PathBytes) throws(Errno) {
        let whole = try throughProc(path, directory)
        try whole.withCString { (file) throws(Errno) in
            try name.withCString { (text) throws(Errno) in _ = try check { lremovexattr(file, text) } }
        }
    }

    package static func remove(_ fd: Int32, _ name: PathBytes) throws(Errno) {
        try name.withCString { (text) throws(Errno) in _ = try check { fremovexattr(fd, text) } }
    }

    /// Nil when the file has no such attribute or its file system none at all.
    package static func get(_ fd: Int32, _ name: PathBytes) throws(Errno) -> [UInt8]? {
        try name.withCString { (text) throws(Errno) in
            try value { fgetxattr(fd, text, $0.baseAddress, $0.count) }
        }
    }

    package static func get(_ path: PathBytes, at directory: Int32, _ name: PathBytes) throws(Errno) -> [UInt8]? {
        let whole = try throughProc(path, directory)
        return try whole.withCString { (file) throws(Errno) in
            try name.withCString { (text) throws(Errno) in
                try value { lgetxattr(file, text, $0.baseAddress, $0.count) }
            }
        }
    }

    /// How long the value is. ENODATA where there is none, EOPNOTSUPP where there can be none.
    package static func size(_ path: PathBytes, at directory: Int32, _ name: PathBytes) throws(Errno) -> Int {
        let whole = try throughProc(path, directory)
        return try whole.withCString { (file) throws(Errno) in
            try name.withCString { (text) throws(Errno) in try check { lgetxattr(file, text, nil, 0) } }
        }
    }

    package static func names(_ fd: Int32) throws(Errno) -> [PathBytes] {
        split(try value { flistxattr(fd, $0.assumingMemoryBound(to: CChar.self).baseAddress, $0.count) } ?? [])
    }

    package static func names(_ path: PathBytes, at directory: Int32) throws(Errno) -> [PathBytes] {
        let whole = try throughProc(path, directory)
        return try whole.withCString { (file) throws(Errno) in
            split(try value { llistxattr(file, $0.assumingMemoryBound(to: CChar.self).baseAddress, $0.count) } ?? [])
        }
    }

    private static func throughProc(_ path: PathBytes, _ directory: Int32) throws(Errno) -> PathBytes {
        guard let whole = PathBytes(Array("/proc/self/fd/\(directory)/".utf8) + path.bytes) else { throw Errno.invalid }
        return whole
    }

    /// Lists are at most XATTR_LIST_MAX, values XATTR_SIZE_MAX: 64 KiB both.
    private static func value(_ call: (UnsafeMutableRawBufferPointer) -> Int) throws(Errno) -> [UInt8]? {
        var failure: Errno?
        var size = 256
        while true {
            let result = [UInt8](unsafeUninitializedCapacity: size) { buffer, count in
                let got = call(UnsafeMutableRawBufferPointer(buffer))
                failure = got < 0 ? Errno.current : nil
                count = max(got, 0)
            }
            guard let error = failure else { return result }
            if error == .noData || error == .notSupported { return nil }
            if error.rawValue != ERANGE || size > largestValue { throw error }
            size = largestValue + 1
        }
    }

    private static func split(_ list: [UInt8]) -> [PathBytes] {
        list.split(separator: 0).compactMap { PathBytes($0) }
    }
}
