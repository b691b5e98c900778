internal import CLinux
internal import Glibc
internal import ImageWorker
internal import Sys

extension Targets {
    /// Other images' layers, containers' records, volumes, the store's own records, and what lies outside. Each of them
    /// changes something where it succeeds, so that the one who looks afterwards sees it.
    var fileAttacks: [Attack] {
        let layer = self["layer"]
        let root = seat.dataRoot
        let canary = self["canary"]
        func create(_ path: String) throws(Errno) {
            let file = try File.open(path, O_WRONLY | O_CREAT, mode: 0o644)
            try File.write(file.raw, "evil")
        }
        return [
            Attack("write a layer's file") { () throws(Errno) in
                let file = try File.open("\(layer)/file", O_WRONLY)
                try File.write(file.raw, "evil")
            },
            Attack("create in a layer") { () throws(Errno) in try create("\(layer)/evil") },
            Attack("mkdir in a layer") { () throws(Errno) in try Directory.make("\(layer)/evil-dir", mode: 0o755) },
            Attack("rename within a layer") { () throws(Errno) in
                try File.rename("\(layer)/renamed", to: "\(layer)/evil-name")
            },
            Attack("rename out of a layer") { () throws(Errno) in
                try File.rename("\(layer)/moved", to: "\(seat.area)/moved")
            },
            Attack("link from a layer") { () throws(Errno) in
                try check { link("\(layer)/file", "\(seat.area)/linked") }
            },
            Attack("truncate a layer's file") { () throws(Errno) in try check { truncate("\(layer)/truncated", 0) } },
            Attack("unlink in a layer") { () throws(Errno) in try File.unlink("\(layer)/unlinked") },
            Attack("chmod in a layer") { () throws(Errno) in try check { chmod("\(layer)/file", 0o6755) } },
            Attack("chown in a layer") { () throws(Errno) in try check { chown("\(layer)/file", 1234, 1234) } },
            Attack("setxattr in a layer") { () throws(Errno) in
                try check { setxattr("\(layer)/file", "trusted.evil", "x", 1, 0) }
            },
            Attack("utimes in a layer") { () throws(Errno) in
                let times = [timespec(tv_sec: 1, tv_nsec: 0), timespec(tv_sec: 1, tv_nsec: 0)]
                try check { utimensat(AT_FDCWD, "\(layer)/file", times, 0) }
            },
            Attack("write a container's record") { () throws(Errno) in
                try create("\(root)/containers/c0ffee/config.json")
            },
            Attack("write into a volume") { () throws(Errno) in try create("\(root)/volumes/data/_data/evil") },
            Attack("write the names") { () throws(Errno) in
                try create("\(root)/image/overlay2/repositories.json")
            },
            Attack("write a layer's record") { () throws(Errno) in
                try create("\(root)/image/overlay2/layerdb/sha256/evil")
            },
            Attack("write a lock") { () throws(Errno) in try create("\(root)/locks/evil") },
            Attack("write beside the area") { () throws(Errno) in try create("\(root)/tmp/record-evil") },
            Attack("stage beside the area") { () throws(Errno) in
                try Directory.make("\(root)/tmp/removed-evil", mode: 0o700)
            },
            Attack("write outside") { () throws(Errno) in try create("\(canary)/file") },
            Attack("chmod outside") { () throws(Errno) in try check { chmod("\(canary)/file", 0o6777) } },
            Attack("chown outside") { () throws(Errno) in try check { chown("\(canary)/directory", 1234, 1234) } },
            Attack("unlink outside") { () throws(Errno) in try File.unlink("\(canary)/link") },
            Attack("rename outside") { () throws(Errno) in
                try File.rename("\(canary)/fifo", to: "\(canary)/evil")
            },
        ]
    }

    /// What it must not learn.
    var readAttacks: [Attack] {
        let paths = [
            ("read passwords", "/etc/shadow"), ("read another's environment", "/proc/\(self["stranger"])/environ"),
            ("read its memory map", "/proc/self/maps"),
            ("read the names", "\(seat.dataRoot)/image/overlay2/repositories.json"),
            ("read a container's record", "\(seat.dataRoot)/containers/c0ffee/config.json"),
            ("read outside", "\(self["canary"])/file"), ("read a kernel setting", "/proc/sys/kernel/ostype"),
        ]
        let directories = [
            ("list root's home", "/root"), ("list the volumes", "\(seat.dataRoot)/volumes"), ("list /", "/"),
        ]
        return paths.map { name, path in
            Attack(name) { () throws(Errno) in
                let file = try File.open(path, O_RDONLY)
                _ = try File.readAll(file.raw, limit: 1 << 20)
            }
        }
            + directories.map { name, path in
                Attack(name) { () throws(Errno) in _ = try Directory.entries(path) }
            }
    }

    /// Devices made in the area, where they may be made, and elsewhere.
    var deviceAttacks: [Attack] {
        let node = "\(seat.area)/null"
        let disk = "\(seat.area)/disk"
        let program = "\(seat.area)/program"
        return [
            Attack("open a device of its own") { () throws(Errno) in
                try check { mknod(node, S_IFCHR | 0o666, clinux_makedev(1, 3)) }
                _ = try File.open(node, O_RDWR)
            },
            Attack("open a disk of its own") { () throws(Errno) in
                let device = self["disk"].split(separator: ":").compactMap { UInt32($0) }
                guard device.count == 2 else { throw .noEntry }
                try check { mknod(disk, S_IFBLK | 0o600, clinux_makedev(device[0], device[1])) }
                _ = try File.open(disk, O_RDONLY)
            },
            Attack("make a device among blobs") { () throws(Errno) in
                try check { mknod("\(seat.dataRoot)/tmp/blobs/evil", S_IFCHR | 0o666, clinux_makedev(1, 3)) }
            },
            Attack("make a directory among blobs") { () throws(Errno) in
                try Directory.make("\(seat.dataRoot)/tmp/blobs/evil-dir", mode: 0o700)
            },
            Attack("map a program of its own") { () throws(Errno) in
                let file = try File.open(program, O_RDWR | O_CREAT, mode: 0o6755)
                try File.write(file.raw, "#!/bin/sh\n")
                let raw = file.raw
                let memory = mmap(nil, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE, raw, 0)
                if memory == MAP_FAILED { throw Errno.current }
                munmap(memory, 4096)
            },
            Attack("control a file system") { () throws(Errno) in
                // FS_IOC_GETFLAGS, the least of them.
                let directory = try Directory.open(seat.area)
                let raw = directory.raw
                var flags: Int = 0
                let result = withUnsafeMutablePointer(to: &flags) {
                    Attack.call(Int(SYS_ioctl), Int(raw), 0x8008_6601, Int(bitPattern: $0))
                }
                if result < 0 { throw Errno(rawValue: Int32(-result)) }
            },
        ]
    }
}
