internal import OCI
internal import Sys
internal import TestSupport
internal import Testing

extension OCIRuntimeTests {
    /// config-linux.md: masked and read-only paths, devices, and what /dev has by default.
    @Suite struct Covers {
        @Test(arguments: OCIRuntime.all) func maskedPathsShowNothing(_ runtime: OCIRuntime) throws {
            try OCIBench.with(runtime) { bench in
                let script =
                    "wc -c < /proc/version; ls /proc/sys | wc -l; cat /etc/passwd | wc -c; ls /nothing 2>&1 | wc -l"
                try bench.expect(script, prints: ["0", "0", "0", "1"]) {
                    $0["linux.maskedPaths"] = ["/proc/version", "/proc/sys", "/etc/passwd", "/nothing"]
                }
            }
        }

        @Test(arguments: OCIRuntime.all) func readOnlyPathsTakeNothing(_ runtime: OCIRuntime) throws {
            try OCIBench.with(runtime) { bench in
                let script = """
                    for f in /etc/new /proc/sys/kernel/hostname; do { echo x > $f; } 2>/dev/null || echo refused; done
                    cat /etc/group | wc -l; touch /tmp/x && echo fine
                    """
                try bench.expect(script, prints: ["refused", "refused", "3", "fine"]) {
                    $0["linux.readonlyPaths"] = ["/etc", "/proc/sys", "/nothing"]
                }
            }
        }

        @Test(arguments: OCIRuntime.all) func theDefaultDevices(_ runtime: OCIRuntime) throws {
            try OCIBench.with(runtime) { bench in
                let script = """
                    cd /dev; stat -c '%n %t:%T %a' null zero full random urandom tty
                    for l in fd stdin stdout stderr ptmx; do readlink $l; done; echo x > null; head -c 2 zero | od -An -tx1
                    """
                try bench.expect(
                    script,
                    prints: [
                        "null 1:3 666", "zero 1:5 666", "full 1:7 666", "random 1:8 666", "urandom 1:9 666",
                        "tty 5:0 666", "/proc/self/fd", "/proc/self/fd/0", "/proc/self/fd/1", "/proc/self/fd/2",
                        "pts/ptmx", " 00 00",
                    ])
            }
        }

        @Test(arguments: OCIRuntime.all) func moreDevices(_ runtime: OCIRuntime) throws {
            try OCIBench.with(runtime) { bench in
                let script = """
                    stat -c '%F %t:%T %a %u:%g' /dev/mine /dev/deep/block /dev/pipe; stat -c %t:%T /dev/null
                    head -c 1 /dev/mine | wc -c
                    """
                try bench.expect(
                    script,
                    prints: [
                        "character special file 1:5 640 7:8", "block special file 7:63 600 0:0", "fifo 0:0 622 0:0",
                        "1:3", "1",
                    ]
                ) {
                    $0["linux.devices"] = [
                        [
                            "path": "/dev/mine", "type": "c", "major": 1, "minor": 5, "fileMode": 0o640, "uid": 7,
                            "gid": 8,
                        ],
                        ["path": "/dev/deep/block", "type": "b", "major": 7, "minor": 99, "fileMode": 0o600],
                        ["path": "/dev/pipe", "type": "p", "fileMode": 0o622],
                    ]
                }
                try runtime.deviates([.crun], "crun 1.8.1 takes every type for a character device") {
                    try bench.expectRefused {
                        $0["linux.devices"] = [["path": "/dev/x", "type": "z", "major": 1, "minor": 5]]
                    }
                }
                try runtime.deviates([.runc], "runc 1.1.5 takes a device without a path") {
                    try bench.expectRefused { $0["linux.devices"] = [["type": "c", "major": 1, "minor": 3]] }
                }
            }
        }

        @Test(.enabled(if: Conditions.hasDeviceControl), arguments: OCIRuntime.all)
        func devicesThatAreDenied(_ runtime: OCIRuntime) throws {
            try OCIBench.with(runtime) { bench in
                // The memory device, and one that is allowed by name.
                let script = """
                    mknod /m c 1 1 2>/dev/null; head -c 1 /m >/dev/null 2>&1 || echo mem-refused
                    mknod /z c 1 5; head -c 1 /z | wc -c; mknod /k c 1 11; head -c 1 /k 2>/dev/null | wc -c
                    """
                try bench.expect(script, prints: ["mem-refused", "1", "0"]) {
                    $0["linux.resources.devices"] = [
                        ["allow": false, "access": "rwm"],
                        ["allow": true, "type": "c", "major": 1, "minor": 11, "access": "m"],
                    ]
                }
            }
        }
    }
}
