internal import CLinux
internal import Glibc

/// bpf(2), as far as cgroups need it.
package enum BPF {
    /// Loads a program of type BPF_PROG_TYPE_CGROUP_DEVICE from its instructions, eight bytes each.
    package static func loadCgroupDevice(_ instructions: [UInt8]) throws(Errno) -> OwnedFD {
        let count = UInt32(clamping: instructions.count / 8)
        // Not a program that needs the GPL's helpers, but the kernel wants some licence named.
        let fd: Int32 = instructions.withUnsafeBytes {
            clinux_bpf_load_cgroup_device($0.baseAddress, count, "Apache-2.0")
        }
        if fd < 0 { throw Errno.current }
        return OwnedFD(adopting: fd)
    }

    /// Attaches it beside those of ancestors: all of them have to allow an access. It lives as long as the cgroup.
    package static func attachCgroupDevice(_ program: Int32, to cgroup: Int32) throws(Errno) {
        try check { clinux_bpf_attach_cgroup_device(cgroup, program) }
    }
}
