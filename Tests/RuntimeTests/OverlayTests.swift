import Glibc
import OCI
import Rootfs
import Runtime
import Sys
import TestSupport
import Testing

/// Stacks of layers: as one option each, and as one string of short links.
@Suite(.enabled(if: ContainerFixture.isPossible, ContainerFixture.requirement))
struct OverlayTests {
    /// Layers above the image's, the topmost first: each has a file of its own and says who is on top.
    private func layers(_ fixture: ContainerFixture, count: Int) throws -> [String] {
        try fixture.scratch.directory("overlay2/l")
        var result = [fixture.scratch("overlay2/base/diff")]
        for number in 0..<count {
            let name = Random.hex(bytes: 32)
            try fixture.scratch.file("overlay2/\(name)/diff/layers/\(number)", "\(number)\n")
            try fixture.scratch.file("overlay2/\(name)/diff/top", "\(number)\n")
            let short = Random.hex(bytes: 13).uppercased()
            try fixture.scratch.file("overlay2/\(name)/link", short)
            try File.symlink("../\(name)/diff", fixture.scratch("overlay2/l/\(short)"))
            result.insert(fixture.scratch("overlay2/\(name)/diff"), at: 0)
        }
        return result
    }

    /// 500 is the kernel's limit, 128 what a page of short links holds.
    @Test(arguments: [(true, 2), (true, 121), (true, 500), (false, 2), (false, 128)])
    func stacksAnyNumberOfLayers(oneByOne: Bool, count: Int) throws {
        if oneByOne && !MountAPI.overlayAppendsLayers { return }
        let fixture = try ContainerFixture()
        let above = count - 1
        let layers = try layers(fixture, count: above)
        let script = "cat /top; ls /layers | wc -l; rm /layers/0; echo changed >/top"
        let result = try fixture.run(
            ["/bin/sh", "-c", script], layers: layers, driver: Overlay2(appendsLayers: oneByOne))
        #expect(result.output == "\(above - 1)\n\(above)\n", "\(result)")
        #expect(try File.status("\(fixture.upper)/layers/0").isWhiteout)
        #expect(try File.readAll("\(fixture.upper)/top", limit: 10) == Array("changed\n".utf8))
    }

    @Test(arguments: [true, false]) func mountsOneLayer(oneByOne: Bool) throws {
        if oneByOne && !MountAPI.overlayAppendsLayers { return }
        let result = try ContainerFixture().run(["/bin/echo", "one"], driver: Overlay2(appendsLayers: oneByOne))
        #expect(result.output == "one\n", "\(result)")
    }

    @Test(arguments: [true, false]) func takesOddPaths(oneByOne: Bool) throws {
        if oneByOne && !MountAPI.overlayAppendsLayers { return }
        let fixture = try ContainerFixture()
        let odd = "a,b:c\\d e\u{e9}"
        try fixture.scratch.file("overlay2/\(odd)/diff/odd", "odd\n")
        for name in ["diff", "work"] { try fixture.scratch.directory("overlay2/top\(odd)/\(name)") }
        var stack = fixture.stack(layers: [
            fixture.scratch("overlay2/\(odd)/diff"), fixture.scratch("overlay2/base/diff"),
        ])
        let upper = fixture.scratch("overlay2/top\(odd)/diff")
        stack.writable = LayerStack.Writable(upper: upper, work: fixture.scratch("overlay2/top\(odd)/work"))
        let mount = try Overlay2(appendsLayers: oneByOne).mount(stack)
        let result = try fixture.shell("cat /odd; echo x >/new") { $0.rootfs = mount }
        #expect(result.output == "odd\n", "\(result)")
        #expect(File.exists("\(upper)/new"))
    }

    @Test func saysWhatIsTooMuch() throws {
        let many = LayerStack(
            base: "/b", layers: (0..<501).map { "/b/\($0)/diff" }, upper: "/b/u/diff", work: "/b/u/work",
            mountPoint: "/b/u/m")
        #expect(throws: RootfsError.tooManyLayers(count: 501, limit: 500)) {
            try Overlay2(appendsLayers: true).mount(many)
        }
        var long = many
        long.layers = (0..<60).map { "/elsewhere/" + String(repeating: "x", count: 80) + "\($0)" }
        #expect(throws: RootfsError.self) { try Overlay2(appendsLayers: false).mount(long) }
        long.layers = ["/" + String(repeating: "x", count: 256)]
        #expect(throws: RootfsError.self) { try Overlay2(appendsLayers: true).mount(long) }
        long.layers = []
        #expect(throws: RootfsError.noLayers) { try Overlay2(appendsLayers: true).mount(long) }
    }

    @Test func isDiscardableWhenAsked() throws {
        let fixture = try ContainerFixture()
        var stack = fixture.stack()
        stack.discardable = true
        let mount = try Overlay2().mount(stack)
        let result = try fixture.shell("grep ' / / ' /proc/self/mountinfo") { $0.rootfs = mount }
        #expect(result.output.contains("volatile"), "\(result)")
    }

    @Test func failsWithTheKernelsWords() throws {
        let fixture = try ContainerFixture()
        let mount = try Overlay2().mount(fixture.stack(layers: [fixture.scratch("overlay2/missing/diff")]))
        let error = try fixture.failure(["true"]) { $0.rootfs = mount }
        #expect("\(error)".hasPrefix("mount overlay on "))
        #expect("\(error)".contains("no such file or directory (ENOENT)"))
        #expect(Scratch.mounts(below: fixture.scratch.path).isEmpty)
    }
}
