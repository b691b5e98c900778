internal import CLinux
internal import Glibc

extension File {
    /// Of magic.h: what the kernel shows of itself, and no files that anybody stored.
    private static let kernelsOwn: Set<UInt> = [
        0x9fa0,  // proc
        0x6265_6572,  // sysfs
        0x27_e0eb, 0x6367_7270,  // cgroup, cgroup2
        0x1cd1,  // devpts
        0x1980_0202,  // mqueue
        0x6462_6720, 0x7472_6163, 0x7363_6673, 0x6265_6570,  // debugfs, tracefs, securityfs, configfs
        0xcafe_4a11, 0x4249_4e4d, 0x6e73_6673, 0xde5e_81e4,  // bpf, binfmt_misc, nsfs, efivarfs
    ]

    /// Whether an open file is one of the kernel's own: in /proc, /sys and the like (fstatfs(2)). Reading such a file may
    /// block or do something, and its size says nothing.
    package static func isKernels(_ fd: Int32) throws(Errno) -> Bool {
        var status = statfs()
        try check { fstatfs(fd, &status) }
        return kernelsOwn.contains(UInt(truncatingIfNeeded: status.f_type) & 0xffff_ffff)
    }
}
