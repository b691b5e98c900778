internal import CAttack
internal import CLinux
internal import Glibc
internal import ImageWorker
internal import Sys

extension Targets {
    /// Other programs and processes. Where nothing forbids them they do no harm.
    var processAttacks: [Attack] {
        let keeper = Int(getppid())
        let stranger = number("stranger")
        let child = Int(SIGCHLD)
        return [
            Attack("execute") {
                // Refused for its arguments where it is not forbidden: the attacker has more to try.
                Attack.call(Int(SYS_execve), path: "/bin/true") { number, path in Attack.call(number, path, 1, 1) }
            },
            Attack("execute a descriptor") { Attack.call(Int(SYS_execveat), -1, 0, 0, 0, 0x1000) },
            Attack("fork") { Attack.call(cattack_number_fork() < 0 ? Int(SYS_execve) : cattack_number_fork()) },
            Attack("clone a process") { Attack.call(Int(SYS_clone), child) },
            Attack("clone a user namespace") { Attack.call(Int(SYS_clone), CLONE_NEWUSER_ | child) },
            Attack("clone by clone3") { Attack.call(Int(SYS_clone3), 0, 0) },
            Attack("unshare a user namespace") { Attack.call(Int(SYS_unshare), CLONE_NEWUSER_) },
            Attack("enter a namespace") { Attack.call(Int(SYS_setns), -1, 0) },
            Attack("trace the keeper") {
                let result = Attack.call(Int(SYS_ptrace), 0x4206, keeper)
                if result >= 0 { _ = Attack.call(Int(SYS_ptrace), 17, keeper) }
                return result
            },
            Attack("write the keeper's memory") { Attack.call(Int(SYS_process_vm_writev), keeper) },
            Attack("read the keeper's memory") { Attack.call(Int(SYS_process_vm_readv), keeper) },
            Attack("open the keeper") { Attack.call(Int(SYS_pidfd_open), keeper) },
            Attack("signal the keeper") { Attack.call(Int(SYS_kill), keeper, 0) },
            Attack("kill a stranger") { Attack.call(Int(SYS_kill), stranger, Int(SIGKILL)) },
            Attack("signal a stranger's thread") { Attack.call(Int(SYS_tgkill), keeper, keeper, 0) },
            Attack("signal all") { Attack.call(Int(SYS_kill), -1, 0) },
            Attack("limit the keeper") { Attack.call(Int(SYS_prlimit64), keeper, 7, 0, 0) },
            Attack("outlive the keeper") { Attack.call(Int(SYS_prctl), Int(PR_SET_PDEATHSIG), Int(SIGKILL)) },
            Attack("call by x32") {
                let number = cattack_number_x32_getpid()
                return number < 0 ? -Int(ENOSYS) : Attack.call(number)
            },
        ]
    }

    /// Mounts and the kernel, all with arguments that come to nothing where nothing forbids them.
    var kernelAttacks: [Attack] {
        let none: [(String, Int)] = [
            ("mount", Int(SYS_mount)), ("unmount", Int(SYS_umount2)), ("pivot_root", Int(SYS_pivot_root)),
            ("move_mount", Int(SYS_move_mount)), ("open_tree", Int(SYS_open_tree)), ("fsopen", Int(SYS_fsopen)),
            ("mount_setattr", Int(SYS_mount_setattr)), ("bpf", Int(SYS_bpf)), ("init_module", Int(SYS_init_module)),
            ("open_by_handle_at", Int(SYS_open_by_handle_at)), ("name_to_handle_at", Int(SYS_name_to_handle_at)),
            ("io_uring_setup", Int(SYS_io_uring_setup)), ("clock_settime", Int(SYS_clock_settime)),
            ("settimeofday", Int(SYS_settimeofday)), ("keyctl", Int(SYS_keyctl)), ("shmget", Int(SYS_shmget)),
        ]
        return none.map { name, number in
            // clock_settime of a clock that cannot be set; keyctl of an operation that there is not; the rest of nothing.
            Attack(name) { Attack.call(number, number == Int(SYS_settimeofday) ? 0 : 1000, 0, 0, 0, 0) }
        }
            + [
                Attack("chroot") { Attack.call(Int(SYS_chroot), path: "/") { Attack.call($0, $1) } },
                Attack("fanotify_init") { Attack.call(Int(SYS_fanotify_init), 0, 0) },
                Attack("sethostname") { Attack.call(Int(SYS_sethostname), 1, -1) },
                Attack("a call of tomorrow") { Attack.call(463, -1, 0, 0, 0, 0, 0) },
            ]
    }

    private var CLONE_NEWUSER_: Int { 0x1000_0000 }
}
