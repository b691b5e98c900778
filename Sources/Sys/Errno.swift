internal import CLinux
internal import Glibc

/// A Linux error number (errno(3)).
package struct Errno: Error, RawRepresentable, Hashable, Sendable {
    package let rawValue: Int32

    package init(rawValue: Int32) { self.rawValue = rawValue }

    /// The calling thread's errno, read at once after a failed call.
    package static var current: Errno { Errno(rawValue: Glibc.errno) }

    /// The symbolic name, such as `ENOENT`.
    package var name: String {
        guard let name = clinux_errno_name(rawValue) else { return "errno \(rawValue)" }
        return String(cString: name)
    }

    package static let addressInUse = Errno(rawValue: EADDRINUSE)
    package static let addressNotAvailable = Errno(rawValue: EADDRNOTAVAIL)
    package static let again = Errno(rawValue: EAGAIN)
    package static let accessDenied = Errno(rawValue: EACCES)
    package static let badFileDescriptor = Errno(rawValue: EBADF)
    package static let busy = Errno(rawValue: EBUSY)
    package static let exists = Errno(rawValue: EEXIST)
    package static let interrupted = Errno(rawValue: EINTR)
    package static let invalid = Errno(rawValue: EINVAL)
    package static let inputOutput = Errno(rawValue: EIO)
    package static let isDirectory = Errno(rawValue: EISDIR)
    package static let loop = Errno(rawValue: ELOOP)
    package static let messageTooLong = Errno(rawValue: EMSGSIZE)
    package static let connectionReset = Errno(rawValue: ECONNRESET)
    package static let brokenPipe = Errno(rawValue: EPIPE)
    package static let argumentsTooLong = Errno(rawValue: E2BIG)
    package static let connectionRefused = Errno(rawValue: ECONNREFUSED)
    package static let nameTooLong = Errno(rawValue: ENAMETOOLONG)
    package static let timedOut = Errno(rawValue: ETIMEDOUT)
    package static let noData = Errno(rawValue: ENODATA)
    package static let noEntry = Errno(rawValue: ENOENT)
    package static let noExec = Errno(rawValue: ENOEXEC)
    package static let noSpace = Errno(rawValue: ENOSPC)
    package static let noSystemCall = Errno(rawValue: ENOSYS)
    package static let notDirectory = Errno(rawValue: ENOTDIR)
    package static let notEmpty = Errno(rawValue: ENOTEMPTY)
    package static let notPermitted = Errno(rawValue: EPERM)
    package static let notSupported = Errno(rawValue: EOPNOTSUPP)
    package static let noProcess = Errno(rawValue: ESRCH)
    package static let crossDevice = Errno(rawValue: EXDEV)
    package static let overQuota = Errno(rawValue: EDQUOT)
    package static let stale = Errno(rawValue: ESTALE)
    package static let noDevice = Errno(rawValue: ENXIO)

    /// No space, or none for this user.
    package var isOutOfSpace: Bool { self == .noSpace || self == .overQuota }
}

extension Errno: CustomStringConvertible {
    /// The text as users know it, with the name: `no such file or directory (ENOENT)`.
    package var description: String {
        guard let text = strerror(rawValue) else { return name }
        let words = String(cString: text)
        return words.prefix(1).lowercased() + words.dropFirst() + " (\(name))"
    }
}

/// A system call that failed on something that has a name: said once, where both are known.
package struct SystemFailure: Error, CustomStringConvertible, Sendable {
    package let operation: String
    package let subject: String
    package let errno: Errno

    package init(_ operation: String, _ subject: String, _ errno: Errno) {
        self.operation = operation
        self.subject = subject
        self.errno = errno
    }

    package var description: String { "\(operation) \(subject): \(errno)" }
}

/// Calls until it is not interrupted; a negative result becomes the thread's `Errno`.
@inline(__always) @discardableResult
package func check<I: FixedWidthInteger & SignedInteger>(_ call: () -> I) throws(Errno) -> I {
    while true {
        let result = call()
        if result >= 0 { return result }
        let error = Errno.current
        if error != .interrupted { throw error }
    }
}
