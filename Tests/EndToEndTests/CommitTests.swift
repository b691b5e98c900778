internal import FoundationEssentials
internal import Glibc
internal import OCI
internal import Sys
internal import TestSupport
import Testing

extension EndToEnd {
    /// `commit`.
    @Suite struct Commit {
        private func config(_ runimg: Runimg, _ id: String) throws -> ImageConfig {
            let hex = id.hasPrefix("sha256:") ? String(id.dropFirst(7)) : id
            let bytes = try File.readAll("\(runimg.dataRoot)/image/overlay2/imagedb/content/sha256/\(hex)")
            #expect(Digest.of(bytes).hex == hex)
            return try OCILayout.decode(ImageConfig.self, bytes)
        }

        @Test func whatAContainerChangedIsInTheImage() throws {
            let box = try ContainerBox(
                """
                echo hi > /etc/new; rm /bin/cat; rm -r /home; mkdir /home; touch /home/z; mkdir /nd; echo 1 > /nd/f
                ln /nd/f /nd/g; chown 12:34 /nd/f; chmod 6711 /nd/f; mkfifo /nd/p; ln -s f /nd/l; echo x > /data/inside
                mkdir /d1; touch /d1/.hidden; touch -d '2001-02-03 04:05:06' /nd
                """, flags: ["-v", "/data"])
            let id = try #require(try box.check("commit", box.name, "made:here").lines.last)
            defer { _ = try? box.runimg.check("rmi", "-f", "made:here") }
            #expect(id.hasPrefix("sha256:") && id.count == 71)
            let shown = try box.runimg.check(
                "run", "--rm", "made:here", "sh", "-c",
                "cat /etc/new; ls /bin/cat 2>&1; ls /home /data; stat -c '%u:%g %a %h' /nd/g; ls /nd; readlink /nd/l; stat -c %Y /nd"
            ).stdout
            #expect(
                shown
                    == "hi\nls: /bin/cat: No such file or directory\n/data:\n\n/home:\nz\n12:34 6711 2\nf\ng\nl\np\nf\n981173106\n"
            )
            let made = try config(box.runimg, id)
            let base = try config(box.runimg, try EndToEnd.engine.image)
            #expect(made.rootfs.diffIDs.count == base.rootfs.diffIDs.count + 1)
            #expect(made.rootfs.diffIDs.dropLast() == base.rootfs.diffIDs[...])
            // Neither a mount point of ours nor a volume's file.
            let names = try layer(box.runimg, made)
            #expect(
                names.isDisjoint(with: [
                    "etc/hosts", "etc/hostname", "etc/resolv.conf", "dev", "proc", "sys", "data/inside",
                ]))
            #expect(names.isSuperset(of: ["etc/new", "bin/cat", "home/z", "nd/f", "data"]))
            // One more of the same is the same layer, and one on top of it works.
            let again = try #require(try box.check("commit", box.name).lines.last)
            #expect(try config(box.runimg, again).rootfs == made.rootfs)
            try box.runimg.check("rmi", "-f", again)
        }

        /// The paths in an image's top layer.
        private func layer(_ runimg: Runimg, _ config: ImageConfig) throws -> Set<String> {
            let chain = try #require(Digest.chain(of: config.rootfs.diffIDs).last)
            let cache = try File.readAll("\(runimg.dataRoot)/image/overlay2/layerdb/sha256/\(chain.hex)/cache-id")
            return Set(
                try TreeListing("\(runimg.dataRoot)/overlay2/\(String(decoding: cache, as: UTF8.self))/diff").paths)
        }

        @Test func theConfigurationIsChangedAsAsked() throws {
            let box = try ContainerBox(
                "true",
                flags: ["-e", "A=1", "-l", "lab=x", "-w", "/tmp", "-u", "1000", "--expose", "70-71/udp"])
            var arguments = ["commit", "-m", "msg", "-a", "A <a@b>"]
            for change in [
                #"CMD ["x","y"]"#, #"ENV B=2 C="3 4""#, "ENV D e f", "ENV E=${A}$B", "EXPOSE 81/udp 90 1000-1001",
                #"LABEL l=m "n o"=p"#, "ONBUILD RUN foo", "USER bob", "VOLUME /v /w", #"VOLUME ["/z"]"#, "WORKDIR rel",
                "HEALTHCHECK --interval=5s CMD true a", "STOPSIGNAL SIGQUIT", "entrypoint run it",
            ] { arguments += ["-c", change] }
            let id = try #require(try box.runimg.run(arguments + [box.name, "repo/x:tag"]).lines.last)
            defer { _ = try? box.runimg.check("rmi", "-f", "repo/x:tag") }
            let made = try config(box.runimg, id)
            let execution = try #require(made.config)
            #expect(made.author == "A <a@b>")
            #expect(execution.cmd == ["x", "y"])
            #expect(execution.entrypoint == ["/bin/sh", "-c", "run it"])
            #expect(execution.env?.prefix(1) == ["A=1"])
            #expect(execution.env?.suffix(4) == ["B=2", "C=3 4", "D=e f", "E=12"])
            #expect(
                execution.exposedPorts?.keys.sorted() == [
                    "1000/tcp", "1001/tcp", "70/udp", "71/udp", "81/udp", "90/tcp",
                ])
            #expect(execution.labels == ["l": "m", "lab": "x", "n o": "p"])
            #expect(execution.onBuild == ["RUN foo"])
            #expect(execution.user == "bob")
            #expect(execution.volumes?.keys.sorted() == ["/v", "/w", "/z"])
            #expect(execution.workingDir == "/tmp/rel")
            #expect(execution.healthcheck?.test == ["CMD-SHELL", "true a"])
            #expect(execution.healthcheck?.interval == 5_000_000_000)
            #expect(execution.stopSignal == "SIGQUIT")
            let entry = try #require(made.history?.last)
            #expect(entry.comment == "msg" && entry.author == "A <a@b>" && entry.createdBy == "sh -c true")
            #expect(try box.runimg.check("images", "repo/x").stdout.contains("tag"))
        }

        @Test func aContainerWithoutChangesAddsNoLayer() throws {
            let box = try ContainerBox("true")
            let id = try #require(try box.check("commit", box.name).lines.last)
            let made = try config(box.runimg, id)
            if made.history?.last?.emptyLayer == true {
                #expect(made.rootfs == (try config(box.runimg, try EndToEnd.engine.image)).rootfs)
            } else {
                // Only the directories in which our own mount points are.
                #expect(try layer(box.runimg, made).isSubset(of: [".", "etc"]))
            }
            #expect(try box.runimg.run(["run", "--rm", id, "true"]).status == 0)
            try box.runimg.check("rmi", "-f", id)
        }

        @Test func aRunningContainerStandsStillMeanwhile() throws {
            let box = try ContainerBox(
                "i=0; while true; do i=$((i+1)); echo $i > /a; echo $i > /b; done", detached: true)
            #expect(Wait.until(seconds: 10) { (try? box.text("/b")) != nil })
            for flag in ["--pause", "--no-pause"] {
                let id = try #require(try box.check("commit", flag, box.name).lines.last)
                let text = try box.runimg.check("run", "--rm", id, "cat", "/a", "/b").lines
                if flag == "--pause", text.count == 2 { #expect(abs((Int(text[0]) ?? 0) - (Int(text[1]) ?? 9)) <= 1) }
                try box.runimg.check("rmi", "-f", id)
            }
            // It goes on.
            let before = try box.text("/b")
            #expect(Wait.until(seconds: 10) { (try? box.text("/b")) != before })
        }

        @Test(arguments: [
            ("RUN x", "run is not a valid change command"), ("ENV", "ENV requires at least one argument"),
            ("ENV x", "ENV must have two arguments"), ("LABEL x", "LABEL must have two arguments"),
            ("EXPOSE x", "Invalid containerPort: x"), ("", "file with no instructions"),
            ("# comment", "file with no instructions"), ("USER", "USER requires exactly one argument"),
            ("ONBUILD FROM x", "FROM isn't allowed as an ONBUILD trigger"),
            ("ONBUILD", "ONBUILD requires at least one argument"),
            ("VOLUME", "VOLUME requires at least one argument"),
            ("ENV A='x", "unexpected end of statement while looking for matching single-quote"),
        ])
        func refusesChangesInDockersWords(_ change: String, _ text: String) throws {
            let engine = try engine.runimg
            let output = try engine("commit", "-c", change, "nosuch")
            #expect(
                output.status == 1 && (output.stderr.contains(text) || output.stderr.contains("No such container")),
                "\(output)")
            let box = try ContainerBox("true")
            let refused = try box("commit", "-c", change, box.name)
            #expect(refused.status == 1 && refused.stderr.contains(text), "\(refused)")
        }

        @Test func refusesNames() throws {
            let engine = try engine.runimg
            #expect(try engine("commit", "nosuch").stderr.contains("No such container: nosuch"))
            let digest = "a@sha256:" + String(repeating: "0", count: 64)
            #expect(
                try engine("commit", "c", digest).stderr.contains("refusing to create a tag with a digest reference"))
            #expect(try engine("commit", "c", "Bad Name").stderr.contains("invalid reference format"))
            let few = try engine("commit")
            #expect(
                few.status == 1 && few.stderr.contains("'runimg commit' requires at least 1 and at most 2 arguments"),
                "\(few)")
        }

        @Test("U5: a file named as a whiteout is not taken into a layer") func smuggledWhiteout() throws {
            let box = try ContainerBox("touch /etc/.wh.passwd")
            let output = try box("commit", box.name, "smuggled")
            #expect(
                output.status == 1 && output.stderr.contains("/.wh.passwd") && output.stderr.contains("refused"),
                "\(output)")
            #expect(try box.runimg.check("images", "-q", "smuggled").stdout == "")
        }

        /// A commit that is killed leaves the whole image or none, and a store that the next command works with.
        @Test(
            .enabled(if: SyscallFaults.isPossible, "\(SyscallFaults.requirements)"),
            arguments: ["/^rename", "syncfs", "sendmsg"])
        func aKilledCommitLeavesAllOrNothing(_ call: String) throws {
            // A store of its own, in whose staging nobody else works.
            let box = try ContainerBox(
                "mkdir /many; for i in $(seq 50); do echo $i > /many/$i; done", engine: try SharedEngine())
            let runimg = box.runimg
            try CrashEnumerator(call, samples: 3).run {
                "killed-\(Random.hex(bytes: 4))"
            } command: { name, prefix in
                let output = try runimg.run(["commit", box.name, name], under: prefix)
                return output.status == 0
            } check: { name, moment, ended in
                let images = try runimg.run(["images", "-q", name])
                #expect(images.status == 0, "\(moment): \(images)")
                if ended { #expect(!images.lines.isEmpty, "\(moment)") }
                guard !images.lines.isEmpty else { return }
                let ran = try runimg.run(["run", "--rm", name, "sh", "-c", "ls /many | wc -l"])
                #expect(ran.stdout == "50\n", "\(moment): \(ran)")
                try runimg.check("rmi", "-f", name)
            }
            // Nothing is left over in staging once the next command has looked.
            try runimg.check("images", "-q")
            #expect(
                Wait.until(seconds: 10) {
                    _ = try? runimg.check("images", "-q")
                    return ((try? Directory.entries("\(runimg.dataRoot)/tmp").map(\.name)) ?? []) == ["blobs"]
                })
        }
    }
}
