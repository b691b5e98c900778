import Engine
import Images
import OCI
import Testing

@testable import DockerCLI

/// What a pull looks like.
@Suite struct ProgressTests {
    private static let digest = Digest.of("x".utf8)

    private static let events: [WorkerEvent] = [
        .pulling(tag: "latest", repository: "library/alpine"), .layer(id: "c926b61bad3b", state: .pulling),
        .layer(id: "aaaaaaaaaaaa", state: .waiting), .layer(id: "bbbbbbbbbbbb", state: .alreadyExists),
        .layer(id: "c926b61bad3b", state: .downloading(current: 10, total: 100)),
        .layer(id: "c926b61bad3b", state: .downloading(current: 100, total: 100)),
        .layer(id: "c926b61bad3b", state: .verifying), .layer(id: "c926b61bad3b", state: .downloaded),
        .layer(id: "c926b61bad3b", state: .extracting(current: 10, total: 100)),
        .layer(id: "c926b61bad3b", state: .complete),
        .layer(id: "aaaaaaaaaaaa", state: .retrying(seconds: 5, reason: "503")),
        .layer(id: "aaaaaaaaaaaa", state: .retrying(seconds: 1, reason: "503")), .digest(digest),
        .status("Downloaded newer image for alpine:latest"),
        .done(image: digest, name: "docker.io/library/alpine:latest"),
    ]

    private final class Clock {
        var now: Int64 = 0
    }

    private static func screen(
        _ output: BufferOutput, _ errors: BufferOutput, quiet: Bool = false, _ clock: Clock = Clock()
    ) -> PullScreen {
        PullScreen(
            output: output, errors: errors, quiet: quiet, debug: false, drawing: output.isTerminal,
            clock: { clock.now })
    }

    @Test func plainLinesAsDocker() {
        let (output, errors) = (BufferOutput(), BufferOutput())
        let screen = Self.screen(output, errors)
        for event in Self.events { screen.show(.pull(event)) }
        #expect(
            output.text == """
                latest: Pulling from library/alpine
                c926b61bad3b: Pulling fs layer
                aaaaaaaaaaaa: Waiting
                bbbbbbbbbbbb: Already exists
                c926b61bad3b: Verifying Checksum
                c926b61bad3b: Download complete
                c926b61bad3b: Pull complete
                aaaaaaaaaaaa: Retrying in 5 seconds
                aaaaaaaaaaaa: Retrying in 1 second
                Digest: \(Self.digest)
                Status: Downloaded newer image for alpine:latest

                """)
        #expect(errors.text.isEmpty)
    }

    @Test func quietSaysNothingButWarnings() {
        let (output, errors) = (BufferOutput(isTerminal: true), BufferOutput())
        let screen = Self.screen(output, errors, quiet: true)
        for event in Self.events + [.warning("careful"), .debug("hidden")] { screen.show(.pull(event)) }
        #expect(output.text.isEmpty && errors.text == "WARNING: careful\n")
    }

    @Test func pullPrintsTheFullNameLast() {
        let bench = Bench()
        bench.engine.events = Self.events.map(EngineEvent.pull)
        #expect(bench.run("pull -q alpine") == 0)
        #expect(bench.output.text == "docker.io/library/alpine:latest\n")
        #expect(bench.run("pull alpine:latest") == 0)
        #expect(bench.output.text.hasSuffix("alpine:latest\ndocker.io/library/alpine:latest\n"))
    }

    @Test func drawsInPlaceAtMostTenTimesASecond() {
        let (output, errors, clock) = (BufferOutput(isTerminal: true), BufferOutput(), Clock())
        let screen = Self.screen(output, errors, clock)
        for millisecond in 0..<1000 {
            clock.now = Int64(millisecond) * 1_000_000
            screen.show(
                .pull(
                    .layer(
                        id: "c926b61bad3b", state: .downloading(current: Int64(millisecond) * 1000, total: 1_000_000))))
        }
        #expect(output.writes.count <= 10)
        let count = output.writes.count
        clock.now += 1
        screen.finish()
        #expect(output.writes.count == count + 1)
        // The last frame has no total and stands for good.
        #expect(!(output.writes.last ?? "").contains("Total"))
        #expect((output.writes.last ?? "").hasSuffix("\n"))
        screen.finish()
        #expect(output.writes.count == count + 1)
    }

    @Test func aFrame() {
        let (output, errors, clock) = (BufferOutput(isTerminal: true, columns: 70), BufferOutput(), Clock())
        let screen = Self.screen(output, errors, clock)
        screen.show(.pull(.layer(id: "c926b61bad3b", state: .downloading(current: 0, total: 4_000_000))))
        clock.now = 1_000_000_000
        screen.show(.pull(.layer(id: "c926b61bad3b", state: .downloading(current: 1_000_000, total: 4_000_000))))
        let lines = (output.writes.last ?? "").split(separator: "\n", omittingEmptySubsequences: false)
        #expect(lines.count == 3)
        #expect(lines[0] == "\u{1B}[2A\r\u{1B}[Jc926b61bad3b: Downloading [=====>               ]  1MB/4MB  1MB/s  3s")
        #expect(lines[1] == "Total [==========>                              ]  1MB/4MB  1MB/s  3s")
    }

    /// A frame never has a line that would wrap, and never more lines than the screen.
    @Test(arguments: [20, 21, 40, 80, 200])
    func framesFit(_ columns: Int) {
        let (output, errors, clock) = (
            BufferOutput(isTerminal: true, columns: columns, rows: 10), BufferOutput(), Clock()
        )
        let screen = Self.screen(output, errors, clock)
        for layer in 0..<30 {
            clock.now += 1_000_000_000
            screen.show(
                .pull(.layer(id: "layer\(layer)abcdef", state: .downloading(current: 5_000_000, total: 90_000_000))))
        }
        let frame = (output.writes.last ?? "").split(separator: "J", maxSplits: 1).last ?? ""
        let lines = frame.split(separator: "\n")
        #expect(lines.count <= 9)
        #expect(lines.allSatisfy { $0.count < max(columns, 21) })
    }

    /// A window made narrower has broken the lines: more rows have to be taken back.
    @Test func survivesAResize() {
        let (output, errors, clock) = (BufferOutput(isTerminal: true, columns: 80), BufferOutput(), Clock())
        let screen = Self.screen(output, errors, clock)
        screen.show(.pull(.layer(id: "c926b61bad3b", state: .downloading(current: 1, total: 4_000_000))))
        output.columns = 40
        clock.now = 1_000_000_000
        screen.show(.pull(.layer(id: "c926b61bad3b", state: .pulling)))
        #expect((output.writes.last ?? "").hasPrefix("\u{1B}[4A\r\u{1B}[J"))
    }

    @Test func warningsStandAboveTheBars() {
        let (output, errors, clock) = (BufferOutput(isTerminal: true), BufferOutput(), Clock())
        let screen = Self.screen(output, errors, clock)
        screen.show(.pull(.layer(id: "c926b61bad3b", state: .pulling)))
        screen.show(.warning("careful"))
        #expect(errors.text == "WARNING: careful\n")
        #expect(
            output.writes == [
                "c926b61bad3b: Pulling fs layer\n", "\u{1B}[1A\r\u{1B}[J", "c926b61bad3b: Pulling fs layer\n",
            ])
    }

    /// What a registry or an archive named must not reach the terminal as commands.
    @Test func controlCharactersAreShownQuoted() {
        let (output, errors, clock) = (BufferOutput(isTerminal: true), BufferOutput(), Clock())
        let screen = Self.screen(output, errors, clock)
        screen.show(.pull(.layer(id: "c926b61bad3b", state: .retrying(seconds: 2, reason: "\u{1B}[2J"))))
        #expect(!output.text.contains("\u{1B}[2J"))
    }

    @Test func drawsOnlyWhereItCan() {
        let terminal = BufferOutput(isTerminal: true)
        #expect(PullScreen.canDraw(terminal) { ["TERM": "xterm"][$0] })
        #expect(!PullScreen.canDraw(terminal) { ["TERM": "dumb"][$0] })
        #expect(!PullScreen.canDraw(terminal) { _ in nil })
        #expect(!PullScreen.canDraw(terminal) { ["TERM": "xterm", "NO_COLOR": "1"][$0] })
        #expect(!PullScreen.canDraw(BufferOutput()) { ["TERM": "xterm"][$0] })
    }

    @Test func times() {
        #expect([0.2, 59, 60, 3599, 7260, 1e9].map(Bar.time) == ["1s", "59s", "1m00s", "59m59s", "2h01m", "--"])
        #expect(Bar.line("x", 5, 0, rate: nil, 80) == "x  5B")
        #expect(Bar.line("x", -5, 100, rate: .infinity, 80).contains("0B/100B"))
        #expect(Bar.line("x", .max, .max, rate: 1, 80).contains("9.223EB/9.223EB"))
    }
}
