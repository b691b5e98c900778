internal import Glibc
internal import Images
internal import OCI
internal import Synchronization
internal import Sys
internal import TestSupport
internal import Testing

extension EndToEnd {
    /// Several images by one command.
    @Suite(.enabled(if: Conditions.canPull, "needs docker-registry and skopeo")) struct SeveralPulls {
        /// Images `one`, `two`, `three` of a common base and a layer of their own, in a registry.
        static func registry() throws -> (RealRegistry, base: Digest) {
            let scratch = try Scratch()
            let layout = try OCILayout(scratch("layout"))
            func layer(_ name: String, _ size: Int) throws -> OCILayout.Layer {
                let bytes = try Tool.check("head", ["-c", "\(size)", "/dev/urandom"]).stdoutBytes
                try scratch.file("\(name)/\(name)", bytes)
                return try layout.layer(
                    tar: try Tool.check("tar", ["-C", scratch(name), "-cf", "-", name]).stdoutBytes, .gzip)
            }
            let base = try layer("base", 2_000_000)
            let registry = try RealRegistry()
            for name in ["one", "two", "three"] {
                try layout.tag(try layout.image([base, try layer(name, 300_000)]), name)
                try registry.push("oci:\(layout.path):\(name)", as: "library/\(name):latest")
            }
            return (registry, base.descriptor.digest)
        }

        @Test("F5: what images share is fetched once") func sharedLayersAreFetchedOnce() throws {
            let (registry, base) = try Self.registry()
            let runimg = try Runimg(mirror: registry)
            let list = try runimg.scratch.file("list", "# the others\ntwo\n\nthree # last\n")
            let output = try runimg("pull", "one", "-f", list)
            #expect(output.status == 0 && output.stderr.isEmpty, "\(output)")
            let fetches = try registry.blobFetches()
            #expect(fetches[base.hex] == 1)
            #expect(fetches.values.allSatisfy { $0 == 1 }, "\(fetches)")
            for name in ["one", "two", "three"] {
                // The digest stands before the line that names the image.
                let status = try #require(
                    output.lines.firstIndex { $0 == "Status: Downloaded newer image for \(name):latest" })
                #expect(output.lines[status - 1].hasPrefix("Digest: sha256:"))
                #expect(output.lines.contains { $0 == "docker.io/library/\(name):latest" })
            }
            #expect(try runimg("images", "-q").lines.count == 3)
            // Names in the order of the command line, for scripts.
            #expect(
                try runimg("pull", "-q", "three", "one", "two").lines.map { String($0) }
                    == ["three", "one", "two"].map { "docker.io/library/\($0):latest" })
        }

        @Test func whatFailsStopsNoOther() throws {
            let (registry, _) = try Self.registry()
            let runimg = try Runimg(mirror: registry)
            let output = try runimg("pull", "one", "\(registry.host)/no/such", "two", "oci:/nonexistent")
            #expect(output.status == 1, "\(output)")
            let errors = output.stderr.split(separator: "\n")
            #expect(errors.count == 2, "\(output)")
            #expect(errors.first?.hasPrefix("runimg: \(registry.host)/no/such: manifest for ") == true, "\(output)")
            #expect(errors.last?.hasPrefix("runimg: oci:/nonexistent: ") == true, "\(output)")
            #expect(try runimg("images", "-q").lines.count == 2)
        }

        /// So many answers at once as the configuration allows, over all images.
        @Test(arguments: [1, 2]) func downloadsAreLimitedOverAll(_ most: Int) throws {
            let busy = Mutex((now: 0, most: 0))
            let images = try SmallImages(["one", "two", "three"])
            let server = try images.serve { _ in
            } layer: { _ in
                busy.withLock { state in
                    state.now += 1
                    state.most = max(state.most, state.now)
                }
                usleep(50_000)
                busy.withLock { $0.now -= 1 }
                return nil
            }
            let runimg = try Runimg(configuration: #"{"max-concurrent-downloads": \#(most)}"#)
            let output = try runimg("pull", "-q", "\(server.host)/one", "\(server.host)/two", "\(server.host)/three")
            #expect(output.status == 0 && output.lines.count == 3, "\(output)")
            #expect(busy.withLock { $0.most } == most)
        }

        /// Its right to fetch goes to the others.
        @Test("F5: a worker that is killed stops no other") func aKilledWorkerStopsNoOther() throws {
            let images = try SmallImages(["stuck", "good"])
            let layers = images.layers("stuck")
            let asked = Mutex<Set<Digest>>([])
            // All rights to fetch are with the worker that is killed: the other one hears of its layers only then.
            let server = try images.serve { name in
                if name == "good" { _ = Wait.until(seconds: 15) { asked.withLock { $0.isSuperset(of: layers) } } }
            } layer: { digest in
                guard layers.contains(digest) else { return nil }
                asked.withLock { _ = $0.insert(digest) }
                var response = FaultyRegistry.Response(200)
                response.delay = 60
                return response
            }
            let runimg = try Runimg(configuration: #"{"max-concurrent-downloads": 2}"#)
            var child = try runimg.start("pull", "-q", "\(server.host)/stuck", "\(server.host)/good")
            #expect(
                Wait.until(seconds: 20) {
                    let asked = server.requests.map(\.path)
                    return layers.allSatisfy { digest in asked.contains { $0.hasSuffix("\(digest)") } }
                        && asked.contains { $0.hasSuffix("good/manifests/latest") }
                })
            let workers = try Tool.check("pgrep", ["-P", "\(child.pid)", "-x", "runimg-image"]).lines
            #expect(workers.count == 2)
            // The first that was started.
            kill(try #require(workers.compactMap { pid_t($0) }.min()), SIGKILL)
            #expect(try child.wait(seconds: 60) == .exited(1))
            #expect(try runimg("images", "-q").lines.count == 1)
        }

        @Test func theTerminalIsLeftClean() throws {
            let (registry, _) = try Self.registry()
            let runimg = try Runimg(mirror: registry)
            let terminal = try runimg.terminal("pull", "one", "two", "three")
            #expect(try terminal.wait() == .exited(0))
            for name in ["one", "two", "three"] {
                #expect(terminal.transcript.contains("Status: Downloaded newer image for \(name):latest"))
            }
            #expect(terminal.mode == terminal.initialMode)
        }

        @Test func interruptedAllEnd() throws {
            let slow = try FaultyRegistry { _, _ in
                var response = FaultyRegistry.Response(200)
                response.delay = 60
                return response
            }
            let runimg = try Runimg()
            let names = (1...5).map { "\(slow.host)/image\($0)" }
            let terminal = try runimg.terminal(["pull"] + names)
            #expect(Wait.until(seconds: 20) { Set(slow.requests.map(\.path)).count >= 3 })
            try terminal.type("\u{3}")
            #expect(try terminal.wait() == .exited(130), "\(terminal.transcript)")
            // Nobody begins afterwards.
            #expect(Set(slow.requests.map(\.path)).count == 3)
        }
    }
}

/// Images of two small layers each, in a layout, and a registry that serves them.
private final class SmallImages: Sendable {
    private let scratch: Scratch
    private let images: [String: Descriptor]
    private let layersOf: [String: [Digest]]

    init(_ names: [String]) throws {
        scratch = try Scratch()
        let layout = try OCILayout(scratch("layout"))
        var (images, layersOf): ([String: Descriptor], [String: [Digest]]) = ([:], [:])
        for name in names {
            let layers = try (0..<2).map { number in
                try layout.layer(tar: TarForge.make { $0.file("\(name)\(number)", "\(name)\(number)\n") }, .gzip)
            }
            images[name] = try layout.image(layers)
            layersOf[name] = layers.map(\.descriptor.digest)
        }
        (self.images, self.layersOf) = (images, layersOf)
    }

    func layers(_ name: String) -> [Digest] { layersOf[name] ?? [] }

    /// `manifest` is told which image is asked for before the answer; `override` may answer for a layer.
    func serve(
        manifest: @escaping @Sendable (String) -> Void,
        layer override: @escaping @Sendable (Digest) -> FaultyRegistry.Response?
    ) throws -> FaultyRegistry {
        try FaultyRegistry { [self] request, _ in
            let parts = request.path.split(separator: "/")
            let digest = parts.last.flatMap { try? Digest(parsing: String($0)) }
            let image = parts.count > 1 ? images[String(parts[1])] : nil
            guard let digest = digest ?? image?.digest,
                let bytes = try? File.readAll("\(scratch("layout"))/blobs/sha256/\(digest.hex)")
            else { return .init(404) }
            if request.path.contains("/manifests/") {
                manifest(String(parts[1]))
                return .init(200, [("Content-Type", image?.mediaType ?? "")], body: bytes)
            }
            if layersOf.values.joined().contains(digest), let response = override(digest) { return response }
            return .blob(bytes, for: request)
        }
    }
}
