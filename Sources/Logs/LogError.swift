package import Sys

/// Why a log can't be read on.
package enum LogError: Error, Hashable, Sendable {
    case open(file: String, Errno)
    case read(file: String, Errno)
}

extension LogError: CustomStringConvertible {
    package var description: String {
        switch self {
        case .open(let file, let errno): "open \(file): \(errno)"
        case .read(let file, let errno): "read \(file): \(errno)"
        }
    }
}

/// What a reader meets beside whole lines.
package enum LogNotice: Hashable, Sendable {
    /// Bytes that are no entry; told once a file, and what follows is read on.
    case damaged(file: String, offset: Int64)
    /// Files were rotated away before they were read.
    case missed(file: String)
}

extension LogNotice: CustomStringConvertible {
    package var description: String {
        switch self {
        case .damaged(let file, let offset):
            "\(file) is damaged at byte \(offset): what is no entry is left out"
        case .missed(let file):
            "entries of \(file) were rotated away before they were read: they are missing here"
        }
    }
}
