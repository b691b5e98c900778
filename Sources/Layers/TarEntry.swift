internal import Sys

/// One member of a tar, all extensions applied; names byte for byte.
struct TarEntry {
    enum Kind {
        case regular, hardLink, symbolicLink, characterDevice, blockDevice, directory, fifo
    }

    struct Attribute {
        var name: [UInt8]
        var value: [UInt8]
    }

    var kind: Kind
    var name: [UInt8]
    var linkName: [UInt8]
    /// Permission bits, set-id and sticky.
    var mode: UInt32
    var user: UInt32
    var group: UInt32
    var modified: FileTime
    /// Bytes of the file as a reader sees it; 0 for all but regular files.
    var size: UInt64
    /// Bytes in the tar that are still to read.
    var storedSize: UInt64
    /// Where the stored bytes belong; nil when the file has no holes.
    var extents: [Extent]?
    var deviceMajor: Int64
    var deviceMinor: Int64
    var attributes: [Attribute]
}

/// A run of stored bytes in a sparse file.
struct Extent: Equatable {
    var offset: UInt64
    var length: UInt64
}
