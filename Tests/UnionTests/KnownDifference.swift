/// Where overlayfs and `UnionTree` differ on purpose: each with the reason, and with what the comparison does about it.
enum KnownDifference: String, CaseIterable {
    /// overlayfs lists a whiteout by readdir where a directory comes from one layer alone, and its lookup says ENOENT. No
    /// program expects that; names whose lookup says ENOENT are left out of the comparison.
    case bareWhiteouts
    /// overlayfs takes an empty file with the mark of a whiteout for one in readdir only where something is below the
    /// directory, and depends on what was looked up before; here it is one wherever the directory says so. The random
    /// layers have none.
    case markedWhiteouts
    /// With `userxattr` overlayfs can't note which lower file a link or a node was copied from, and takes two names of it
    /// for two files (and its rename of one to the other then fails with ESTALE). Here they are one. The random operations
    /// link none.
    case linksOfNodes
    /// overlayfs refuses a redirect only where what it names is there; here any is refused. The random layers have none.
    case emptyRedirects
    /// overlayfs keeps a file's inode number over its copy-up, by a file handle in an attribute. Numbers are compared only
    /// with each other, for names of one file; a directory's count of links is not compared.
    case inodeNumbers
    /// The access time follows the mount's own options.
    case accessTimes
}
