internal import OCI
internal import Sys
internal import TestSupport
import Testing

extension EndToEnd {
    /// What an image's config and a command line say is data: it reaches the container as it is, or not at all.
    @Suite struct ImageMetadata {
        /// The environment of a container of an image with `environment`, started by a caller with secrets.
        static func variables(_ environment: [String], flags: [String] = []) throws -> Tool.Output {
            let runimg = try Runimg()
            let layout = try OCILayout(runimg.scratch("layout"))
            try layout.tag(try ImageForge.onFixture(layout) { $0.config?.env = environment }, "env")
            let secrets = [
                "LEAKME": "secret", "HOSTS": "secret", "HOSTS_FILE": "secret", "http_proxy": "http://secret:1",
                "HTTP_PROXY": "http://secret:1", "https_proxy": "http://secret:1", "NO_PROXY": "secret",
                "no_proxy": "secret", "SSH_AUTH_SOCK": "/secret", "LD_PRELOAD_": "secret",
            ]
            return try runimg.run(
                ["run", "--rm", "-q", "-h", "box"] + flags + ["oci:\(layout.path):env", "env"], environment: secrets)
        }

        @Test("X4: the environment is the image's and the command line's, and nothing of the caller's")
        func theEnvironmentOfTheCallerStaysThere() throws {
            let path = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
            let output = try Self.variables(
                ["LEAKME", "HOSTS*", "*", "LEAKME\u{301}=\u{301}", "=secret", "", "GOOD=a=b"], flags: ["-e", "OWN=1"])
            #expect(
                Set(output.lines) == [
                    path, "HOSTNAME=box", "HOME=/root", "GOOD=a=b", "OWN=1", "LEAKME\u{301}=\u{301}",
                ],
                "\(output)")
            #expect(!output.stdout.contains("secret"))
            for entry in ["LEAKME", "HOSTS*", "*", "=secret", ""] {
                #expect(output.stderr.contains("\"\(entry)\" has no value and is left out"), "\(output)")
            }
            // Asked for by name, a variable of the caller's is passed on.
            #expect(try Self.variables([], flags: ["-e", "LEAKME"]).lines.contains("LEAKME=secret"))
        }

        static let injections: [([String], String)] = [
            (["-e", "HOME=/\nroot::0:0::/:"], "HOME"), (["-h", "box\n10.0.0.1 evil"], "hostname"),
            (["--hostname", "box evil"], "hostname"), (["--domainname", "x\ny"], "domainname"),
            (["--name", "x\ny"], "name"), (["--name", "xx\n"], "name"), (["-l", "a\nb=c"], "label"),
            (["-w", "/a\nb"], "workdir"), (["-u", "root\nx"], "user"), (["--group-add", "1\n2"], "group-add"),
            (["-v", "a\nb:/x"], "volume"), (["-v", "/tmp:/x\ny"], "volume"), (["--tmpfs", "/x\ny"], "tmpfs"),
            (["--mount", "type=volume,src=a\nb,dst=/x"], "mount"), (["--device", "/dev/null:/dev/x\ny"], "path"),
            (["--add-host", "x:1.2.3.4\n5.6.7.8 y"], "add-host"), (["--dns-search", "x\nnameserver 1.2.3.4"], "dns"),
            (["--dns", "1.2.3.4\n5.6.7.8"], "dns"), (["--network-alias", "x\ny"], "network-alias"),
            (["--sysctl", "net.ipv4.ip_forward=1\nkernel.x=1"], "sysctl"),
        ]

        @Test("X5: a line end in what lands in lines is refused", arguments: injections)
        func lineEndsAreRefused(_ flags: [String], _ word: String) throws {
            let output = try run(flags, "true")
            #expect(output.status == 125 && output.stderr.contains(word), "\(output)")
            #expect(output.stdout.isEmpty)
        }

        @Test("X5: a line end in an image's home or paths is refused, and generated files are as they should be")
        func lineEndsOfTheImageAreRefused() throws {
            let runimg = try Runimg()
            let layout = try OCILayout(runimg.scratch("layout"))
            let changes: [(inout ImageConfig.Execution) -> Void] = [
                { $0.env = ["HOME=/\nroot::0:0::/:"] }, { $0.workingDir = "/a\nb" },
                { $0.volumes = ["/a\nb": .init()] },
                { $0.user = "root\nx" },
            ]
            for (number, change) in changes.enumerated() {
                var execution = ImageConfig.Execution()
                execution.cmd = ["true"]
                change(&execution)
                try layout.tag(try ImageForge.onFixture(layout) { $0.config = execution }, "v\(number)")
                let output = try runimg("run", "--rm", "-q", "oci:\(layout.path):v\(number)", "true")
                #expect(output.status == 125 && output.stderr.contains("U+000A"), "\(output)")
            }
            let files = try shell(["-h", "box.example"], "cat /etc/hostname /etc/hosts")
            let lines = files.split(separator: "\n")
            #expect(lines.first == "box.example")
            for line in lines.dropFirst() {
                let fields = line.split { " \t".contains($0) }
                #expect(fields.count > 1 && fields[0].allSatisfy { "0123456789abcdef.:".contains($0) }, "\(line)")
            }
        }

        /// Keys by which engines, runtimes and orchestrators take orders, with values that would have an effect.
        static func reserved(_ place: String) -> [String: String] {
            [
                "io.podman.annotations.privileged": "TRUE", "io.podman.annotations.init": "TRUE",
                "io.podman.annotations.seccomp": "unconfined", "io.podman.annotations.apparmor": "unconfined",
                "io.podman.annotations.volumes-from": "x", "io.podman.annotations.cid-file": place,
                "io.podman.annotations.userns": "host", "io.podman.annotations.publish-all": "TRUE",
                "run.oci.keep_original_groups": "1", "run.oci.hooks.stdout": place, "run.oci.hooks.stderr": place,
                "run.oci.handler": "krun", "run.oci.seccomp_bpf_file": place, "run.oci.delegate-cgroup": "..",
                "run.oci.systemd.force_cgroup_v1": "/sys/fs/cgroup", "run.oci.mount_context_type": "rootcontext",
                "run.oci.pidfd_receiver": place, "com.docker.privileged": "true", "com.docker.security.caps": "ALL",
                "com.docker.compose.container-number": "1", "desktop.docker.io/binds/0/Source": "/",
                "io.containerd.runc.v2.group": "x", "io.containerd.image.config.stop-signal": "9",
                "containerd.io/restart.logpath": "binary:///bin/sh?-c=touch%20\(place)",
                "containerd.io/restart.status": "running", "containerd.io/restart.loguri": "file://\(place)",
                "io.kubernetes.cri.container-type": "sandbox", "io.kubernetes.cri-o.userns-mode": "auto",
                "io.kubernetes.cri-o.Devices": "/dev/mem:rwm", "io.kubernetes.cri-o.ShmSize": "1g",
                "io.kubernetes.cri-o.UnifiedCgroup": "memory.max=max",
                "io.katacontainers.config.hypervisor.path": place,
                "org.opencontainers.image.stopSignal": "SIGKILL", "org.opencontainers.image.os": "windows",
                "org.systemd.property.CPUQuotaPerSecUSec": "1", "module.wasm.image/variant": "compat",
                "runimg.privileged": "true", "io.runimg.privileged": "true", "runimg.cap-add": "ALL",
            ]
        }

        /// The plan of a start, without what differs between any two.
        static func plan(_ runimg: Runimg, _ image: String) throws -> [String] {
            let output = try runimg.run(["run", "--rm", "-q", "--dry-run", "-h", "box", image, "true"])
            guard output.status == 0 else { throw Tool.Failure(output: output) }
            let longest = output.stdout.split { !"0123456789abcdef".contains($0) }.filter { $0.count == 64 }
            let id = try #require(
                longest.max { left, right in
                    longest.count(where: { $0 == left }) < longest.count(where: { $0 == right })
                })
            return output.stdout.replacing(id, with: "ID").split(separator: "\n").map(String.init)
        }

        @Test("X7: labels and annotations in every reserved namespace decide nothing")
        func labelsDecideNothing() throws {
            let runimg = try Runimg()
            let layout = try OCILayout(runimg.scratch("layout"))
            let canary = try Canary()
            let labels = Self.reserved("\(canary.path)/new")
            try layout.tag(try ImageForge.onFixture(layout), "plain")
            let health = try OCILayout.decode(
                ImageConfig.Healthcheck.self, Array(#"{"Test": ["CMD-SHELL", "touch \#(canary.path)/new"]}"#.utf8))
            var labelled = try ImageForge.onFixture(layout) {
                $0.config?.labels = labels
                $0.config?.stopSignal = "SIGKILL"
                $0.config?.healthcheck = health
                $0.config?.exposedPorts = ["80/tcp": .init()]
                $0.config?.shell = ["/bin/sh", "-c"]
            }
            labelled.annotations = labels
            try layout.tag(labelled, "labelled")
            let plain = try Self.plan(runimg, "oci:\(layout.path):plain")
            #expect(plain.count > 40)
            #expect(try Self.plan(runimg, "oci:\(layout.path):labelled") == plain)
            let output = try runimg("run", "--rm", "-q", "oci:\(layout.path):labelled", "/probe")
            #expect(Probe(output.stdout)["cap_effective"] == "00000000800425fb", "\(output)")
            #expect(try canary.changes() == [])
        }

        @Test("X7: keys of an engine's own in an image's config decide nothing")
        func unknownKeysDecideNothing() throws {
            let runimg = try Runimg()
            let layout = try OCILayout(runimg.scratch("layout"))
            try layout.tag(try ImageForge.onFixture(layout), "plain")
            let layer = try ImageForge.fixtureLayer(layout)
            let orders = """
                "Privileged":true,"CapAdd":["ALL"],"Binds":["/:/host"],"NetworkMode":"host","PidMode":"host",\
                "Devices":[{"PathOnHost":"/dev/mem"}],"SecurityOpt":["seccomp=unconfined"],"Hostname":"x",\
                "Mounts":[{"Type":"bind","Source":"/","Target":"/host"}],"hooks":{"prestart":[{"path":"/bin/sh"}]}
                """
            let config = """
                {"architecture":"\(Platform.current.architecture)","os":"linux","HostConfig":{\(orders)},\
                "container_config":{\(orders)},\(orders),\
                "config":{"Cmd":["/bin/sh"],"Env":["PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"],\
                "HostConfig":{\(orders)},\(orders)},\
                "rootfs":{"type":"layers","diff_ids":["\(layer.diffID)"]}}
                """
            let stored = try layout.blob(Array(config.utf8), mediaType: MediaType.ociConfig)
            let manifest = Manifest(mediaType: MediaType.ociManifest, config: stored, layers: [layer.descriptor])
            var descriptor = try layout.json(manifest, mediaType: MediaType.ociManifest)
            descriptor.platform = .current
            try layout.tag(descriptor, "orders")
            #expect(
                try Self.plan(runimg, "oci:\(layout.path):orders") == Self.plan(runimg, "oci:\(layout.path):plain"))
        }

        @Test(
            "R16: a parameter of the host's, or a name that leads there, is refused",
            arguments: [
                "kernel.core_pattern=", "kernel.core_pattern=|/bin/sh", "kernel/core_pattern=x", "vm.swappiness=1",
                "net.ipv4.x=1+kernel.core_pattern=x", "net.ipv4.ip_forward=1\nkernel.core_pattern=x",
                "net.ipv4/../../kernel/core_pattern=x", "net/../kernel/core_pattern=x", "net..core.somaxconn=1",
                "net.=1", "net=1", "net.core.somaxconn", "net.core.somaxconn=", "fs.mqueue./../suid_dumpable=1",
                "kernel.shm_rmid_forced/../core_pattern=x", "kernel.shmmax\n=1", "net.ipv4.ip_forward+x=1", "=1", "",
                "net.core.\u{2f}\u{301}x=1", "user.max_user_namespaces=0", "fs.suid_dumpable=1", "kernel.hostname=x",
            ])
        func parametersOfTheHostAreRefused(_ parameter: String) throws {
            let watched = ["kernel/core_pattern", "vm/swappiness", "fs/suid_dumpable", "user/max_user_namespaces"]
            func values() throws -> [[UInt8]] { try watched.map { try File.readAll("/proc/sys/\($0)", limit: 4096) } }
            let before = try values()
            let output = try run(["--sysctl", parameter], "true")
            // `net.ipv4.x` belongs to the container, where there is none of that name.
            #expect(output.status == 125, "\(output)")
            #expect(output.stderr.contains("sysctl") || output.stderr.contains("net/ipv4/x"), "\(output)")
            #expect(try values() == before)
        }
    }
}
