/// What a layer may ask for. Every limit that is hit refuses the whole layer and is named in the error.
package struct ExtractionLimits: Sendable, Hashable {
    /// Tar members, extended headers and directories made on the way included.
    package var entries: UInt64 = 2_000_000
    /// Bytes of the uncompressed tar, and of what it makes the extractor copy from the layers below.
    package var expandedSize: UInt64 = 256 << 30
    /// Uncompressed bytes for each compressed one, checked above `ratioFloor`. gzip reaches 1032, zstd far more; what
    /// people ship stays below 20.
    package var ratio: UInt64 = 250
    /// Bytes that any layer may expand to, whatever its ratio.
    package var ratioFloor: UInt64 = 1 << 30
    /// Components of a name, links in its parents resolved.
    package var pathDepth = 1024
    /// Bytes of a name: PATH_MAX without the NUL.
    package var pathLength = 4095
    /// Bytes of one PAX header or GNU long name. Go's archive/tar has the same bound.
    package var extendedHeaderSize: UInt64 = 1 << 20
    /// Bytes of one extended attribute's value: XATTR_SIZE_MAX.
    package var attributeSize = 65536
    /// Bytes of one file's sparse map as it stands in the tar.
    package var sparseMapSize = 1 << 20
    /// Bytes kept for directories whose owner, mode and times are set when all entries are there.
    package var directoryListSize = 64 << 20
    /// Names looked up in the layers below, each of them counted: about a minute's worth.
    package var lookups: UInt64 = 50_000_000
    /// Bytes that stay free on the file system, at most a twentieth of it.
    package var freeSpaceReserve: UInt64 = 256 << 20
    /// Inodes that stay free on the file system, at most a twentieth of them.
    package var freeInodeReserve: UInt64 = 16384
    /// Whom its files may belong to.
    package var owners = LayerOwners.any

    package init() {}

    /// The names of the limits in messages.
    package enum Kind: String, Sendable, Hashable {
        case entries
        case expandedSize = "expanded size"
        case ratio = "expansion ratio"
        case pathDepth = "path depth"
        case pathLength = "path length"
        case extendedHeaderSize = "extended header size"
        case attributeSize = "extended attribute size"
        case sparseMapSize = "sparse map size"
        case directoryListSize = "directory list size"
        case lookups = "lookups in the layers below"
        case freeSpaceReserve = "free space reserve"
        case freeInodeReserve = "free inode reserve"
    }
}
