internal import Glibc
internal import OCI
internal import Sys
internal import TestSupport
internal import Testing

extension OCIRuntimeTests {
    /// config.md, "Linux mount options".
    @Suite struct MountOptions {
        struct Case: Sendable, CustomStringConvertible {
            let options: [String]
            var set: Set<String> = []
            var cleared: Set<String> = []
            var superSet: Set<String> = []
            /// Runtimes that do otherwise: crun 1.8.1 takes a flag back with no option, runc 1.1.5 knows no `defaults`.
            var deviating: Set<OCIRuntime.Kind> = []
            var description: String { options.joined(separator: ",") }
        }

        /// What mountinfo must show, and what it must not.
        static let tmpfs: [Case] = [
            Case(options: [], set: ["rw", "relatime"], cleared: ["ro", "nosuid", "nodev", "noexec"]),
            Case(options: ["defaults"], set: ["rw"], deviating: [.runc]),
            Case(options: ["ro"], set: ["ro"], cleared: ["rw"]),
            Case(options: ["ro", "rw"], set: ["rw"], cleared: ["ro"], deviating: [.crun]),
            Case(options: ["nosuid", "nodev", "noexec"], set: ["nosuid", "nodev", "noexec"]),
            Case(
                options: ["nosuid", "suid", "nodev", "dev", "noexec", "exec"], cleared: ["nosuid", "nodev", "noexec"],
                deviating: [.crun]),
            Case(options: ["noatime"], set: ["noatime"], cleared: ["relatime"]),
            Case(options: ["strictatime"], cleared: ["noatime", "relatime"]),
            Case(options: ["nodiratime"], set: ["nodiratime"]),
            Case(options: ["nodiratime", "diratime"], cleared: ["nodiratime"], deviating: [.crun]),
            Case(options: ["relatime"], set: ["relatime"]),
            Case(options: ["sync"], superSet: ["sync"]),
            Case(options: ["dirsync"], superSet: ["dirsync"]),
            Case(options: ["mode=711", "size=64k", "uid=5"], superSet: ["mode=711", "size=64k", "uid=5"]),
        ]

        @Test(arguments: OCIRuntime.all, tmpfs)
        func areThoseOfAFileSystem(_ runtime: OCIRuntime, _ each: Case) throws {
            try OCIBench.with(runtime) { bench in
                try runtime.deviates(each.deviating, "crun 1.8.1 takes no flag back; runc 1.1.5 knows no defaults") {
                    let mounts = try bench.mounts { config in
                        config.append(
                            "mounts",
                            [
                                "destination": "/m", "type": "tmpfs", "source": "tmpfs",
                                "options": JSONValue(each.options),
                            ])
                    }
                    Self.expect(try #require(mounts.last { $0.point == "/m" }), each)
                }
            }
        }

        static func expect(_ mount: MountLine, _ wanted: Case, location: SourceLocation = #_sourceLocation) {
            #expect(mount.options.isSuperset(of: wanted.set), "\(wanted): \(mount)", sourceLocation: location)
            #expect(mount.options.isDisjoint(with: wanted.cleared), "\(wanted): \(mount)", sourceLocation: location)
            #expect(
                mount.superOptions.isSuperset(of: wanted.superSet), "\(wanted): \(mount)", sourceLocation: location)
        }

        static let binds: [Case] = [
            Case(options: ["bind"], set: ["rw"], cleared: ["ro"]),
            Case(options: ["bind", "ro"], set: ["ro"]),
            Case(options: ["rbind", "nosuid", "nodev", "noexec"], set: ["nosuid", "nodev", "noexec"]),
            Case(options: ["bind", "noatime"], set: ["noatime"]),
            Case(options: ["bind", "ro", "nosuid"], set: ["ro", "nosuid"]),
        ]

        @Test(arguments: OCIRuntime.all) func areThoseOfABind(_ runtime: OCIRuntime) throws {
            try OCIBench.with(runtime) { bench in
                let source = try bench.scratch.directory("source")
                let mounts = try bench.mounts { config in
                    for (number, each) in Self.binds.enumerated() {
                        config.append(
                            "mounts",
                            [
                                "destination": "/m/\(number)", "type": "bind", "source": .string(source),
                                "options": JSONValue(each.options),
                            ])
                    }
                }
                for (number, each) in Self.binds.enumerated() {
                    let mount = try #require(mounts.last { $0.point == "/m/\(number)" }, "\(each)")
                    Self.expect(mount, each)
                }
            }
        }

        /// Options of 1.1: of all that is mounted below as well.
        @Test(arguments: OCIRuntime.all) func recursiveOnes(_ runtime: OCIRuntime) throws {
            try OCIBench.with(runtime) { bench in
                let tree = try bench.scratch.directory("tree")
                try bench.scratch.directory("tree/below")
                try Tool.check("mount", ["-t", "tmpfs", "inner", "\(tree)/below"])
                defer { umount2("\(tree)/below", Int32(MNT_DETACH)) }
                try runtime.deviates([.crun], "crun 1.8.1: EINVAL of mount_setattr for the time of access") {
                    let mounts = try bench.mounts {
                        $0.mount("/t", "bind", tree, "rbind", "rnosuid", "rnodev", "rnoexec", "rro", "rnoatime")
                    }
                    for point in ["/t", "/t/below"] {
                        let mount = try #require(mounts.last { $0.point == point })
                        #expect(
                            mount.options.isSuperset(of: ["ro", "nosuid", "nodev", "noexec", "noatime"]), "\(mount)")
                    }
                }
                try runtime.deviates([.runc, .crun], "they don't know rnosymfollow", isIntermittent: true) {
                    let mounts = try bench.mounts { $0.mount("/t", "bind", tree, "rbind", "rnosymfollow") }
                    let mount = try #require(mounts.last { $0.point == "/t/below" })
                    #expect(mount.options.contains("nosymfollow"), "\(mount)")
                }
            }
        }

        static let propagations: [(String, [String])] = [
            ("private", []), ("rprivate", []), ("slave", ["master"]), ("rslave", ["master"]),
            ("shared", ["shared"]), ("rshared", ["shared"]), ("unbindable", ["unbindable"]),
        ]

        @Test(arguments: OCIRuntime.all) func propagation(_ runtime: OCIRuntime) throws {
            try OCIBench.with(runtime) { bench in
                let source = try bench.scratch.directory("source")
                try Tool.check("mount", ["-t", "tmpfs", "shared", source])
                defer { umount2(source, Int32(MNT_DETACH)) }
                try Tool.check("mount", ["--make-shared", source])
                // Else the root cuts off all that is below.
                let mounts = try bench.mounts { config in
                    config["linux.rootfsPropagation"] = "slave"
                    for (option, _) in Self.propagations {
                        config.mount("/m/\(option)", "bind", source, "bind", option)
                    }
                }
                for (option, expected) in Self.propagations {
                    let mount = try #require(mounts.last { $0.point == "/m/\(option)" })
                    let kinds = Set(mount.propagation.compactMap { $0.split(separator: ":").first.map(String.init) })
                    #expect(kinds.isSuperset(of: expected), "\(option): \(mount)")
                    if expected.isEmpty { #expect(mount.propagation.isEmpty, "\(option): \(mount)") }
                }
            }
        }

        /// config-linux.md, "Rootfs Mount Propagation".
        @Test(arguments: OCIRuntime.all) func ofTheRoot(_ runtime: OCIRuntime) throws {
            try OCIBench.with(runtime) { bench in
                for (value, expected) in [("private", []), ("shared", ["shared"]), ("unbindable", ["unbindable"])] {
                    try runtime.deviates(value == "private" ? [] : [.runc], "runc 1.1.5 leaves the root as it was") {
                        let found = try bench.mount("/") { $0["linux.rootfsPropagation"] = .string(value) }
                        let mount = try #require(found)
                        let kinds = Set(
                            mount.propagation.compactMap { $0.split(separator: ":").first.map(String.init) })
                        #expect(kinds == Set(expected), "\(value): \(mount)")
                    }
                }
                try runtime.deviates([.crun], "crun 1.8.1 passes over a word that it does not know") {
                    try bench.expectRefused { $0["linux.rootfsPropagation"] = "sideways" }
                }
            }
        }

        @Test(arguments: OCIRuntime.all) func whatNobodyKnowsIsRefused(_ runtime: OCIRuntime) throws {
            try OCIBench.with(runtime) { bench in
                try bench.expectRefused { $0.mount("/m", "tmpfs", "tmpfs", "no-such-option=1") }
                try bench.expectRefused { $0.mount("/m", "no-such-type", "x") }
                try bench.expectRefused { $0.append("mounts", ["type": "tmpfs", "source": "tmpfs"]) }
            }
        }

        /// Users of the source's files as the container's user namespace has them, without a change on the disk.
        @Test(arguments: OCIRuntime.all) func mappedOwners(_ runtime: OCIRuntime) throws {
            try OCIBench.with(runtime) { bench in
                let source = try bench.scratch.directory("source")
                try bench.scratch.file("source/file", "x")
                try Tool.check("chown", ["1000:1000", "\(source)/file"])
                let map: JSONValue = [["containerID": 1000, "hostID": 3000, "size": 1]]
                try runtime.deviates([.runc], "runc 1.1.5 does not know it") {
                    try bench.expect("stat -c %u:%g /m/file", prints: ["3000:3000"]) {
                        $0.append(
                            "mounts",
                            [
                                "destination": "/m", "type": "bind", "source": .string(source),
                                "options": ["bind", "idmap"], "uidMappings": map, "gidMappings": map,
                            ])
                    }
                }
            }
        }
    }
}
