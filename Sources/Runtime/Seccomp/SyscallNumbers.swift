internal import CSeccomp

/// System call numbers by name and ABI: libseccomp's tables, and what they lack.
enum SyscallNumbers {
    /// Newer than libseccomp 2.5.4. Numbers from 424 on are the same on every architecture (Linux 5.1).
    private static let recent: [String: UInt32] = [
        "set_mempolicy_home_node": 450, "cachestat": 451, "fchmodat2": 452, "map_shadow_stack": 453,
        "futex_wake": 454, "futex_wait": 455, "futex_requeue": 456, "statmount": 457, "listmount": 458,
        "lsm_get_self_attr": 459, "lsm_set_self_attr": 460, "lsm_list_modules": 461, "mseal": 462,
        "setxattrat": 463, "getxattrat": 464, "listxattrat": 465, "removexattrat": 466, "open_tree_attr": 467,
        "file_getattr": 468, "file_setattr": 469, "listns": 470,
    ]

    /// New calls below 424, which only one architecture has.
    private static let particular: [SeccompArchitecture: [String: UInt32]] = [
        .x86_64: ["uretprobe": 335, "uprobe": 336],
        .x32: ["uretprobe": 335 | x32Bit, "uprobe": 336 | x32Bit],
        .riscv64: ["riscv_hwprobe": 258],
    ]

    /// `__X32_SYSCALL_BIT` (asm/unistd.h).
    static let x32Bit: UInt32 = 0x4000_0000

    /// i386 has two ways to each of these: a call of its own (Linux 4.3 and 5.1) and `socketcall` or `ipc` with the
    /// number of the sub-call as first argument (linux/net.h, linux/ipc.h). libseccomp knows them by pseudo numbers.
    static let multiplexed: [String: (direct: UInt32?, multiplexer: UInt32, call: UInt64)] = [
        "socket": (359, socketcall, 1), "bind": (361, socketcall, 2), "connect": (362, socketcall, 3),
        "listen": (363, socketcall, 4), "accept": (nil, socketcall, 5), "getsockname": (367, socketcall, 6),
        "getpeername": (368, socketcall, 7), "socketpair": (360, socketcall, 8), "send": (nil, socketcall, 9),
        "recv": (nil, socketcall, 10), "sendto": (369, socketcall, 11), "recvfrom": (371, socketcall, 12),
        "shutdown": (373, socketcall, 13), "setsockopt": (366, socketcall, 14), "getsockopt": (365, socketcall, 15),
        "sendmsg": (370, socketcall, 16), "recvmsg": (372, socketcall, 17), "accept4": (364, socketcall, 18),
        "recvmmsg": (337, socketcall, 19), "sendmmsg": (345, socketcall, 20),
        "semop": (nil, ipc, 1), "semget": (393, ipc, 2), "semctl": (394, ipc, 3), "semtimedop": (nil, ipc, 4),
        "msgsnd": (400, ipc, 11), "msgrcv": (401, ipc, 12), "msgget": (399, ipc, 13), "msgctl": (402, ipc, 14),
        "shmat": (397, ipc, 21), "shmdt": (398, ipc, 22), "shmget": (395, ipc, 23), "shmctl": (396, ipc, 24),
    ]

    private static let socketcall: UInt32 = 102
    private static let ipc: UInt32 = 117

    /// The number of `name` on `architecture`; nil when it has no such call or nobody knows the name.
    static func number(of name: String, on architecture: SeccompArchitecture) -> UInt32? {
        if architecture == .x86, let entry = multiplexed[name] { return entry.direct }
        // Pseudo numbers, for calls that exist elsewhere only, are negative.
        let number = seccomp_syscall_resolve_name_arch(architecture.token, name)
        if number >= 0 { return UInt32(number) }
        if let number = recent[name] { return architecture == .x32 ? number | x32Bit : number }
        return particular[architecture]?[name]
    }
}
