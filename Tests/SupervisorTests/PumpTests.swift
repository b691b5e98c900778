import Sys
import Testing

@testable import Supervisor

@Suite struct PumpTests {
    /// Runs the pump as the foreground loop does, until it is done or `steps` polls have passed.
    private func run(_ pump: inout Pump, steps: Int = 1000) throws -> Bool {
        for _ in 0..<steps where !pump.isDone {
            var items = [pump.pollItem]
            if try PollItem.wait(&items, milliseconds: 1000) == 0 { return false }
            if !pump.advance(items[0]) { return false }
        }
        return pump.isDone
    }

    @Test func allBytesArriveInOrder() throws {
        let source = try Pipe()
        let sink = try File.open("/tmp", 0o20200002, mode: 0o600)  // O_TMPFILE | O_RDWR
        let bytes = (0..<60_000).map { UInt8(truncatingIfNeeded: $0 &* 31) }
        try File.write(source.writer.raw, bytes)
        let reader = source.keepReader()
        var pump = Pump(from: reader.raw, to: sink.raw)
        let finished = try run(&pump)
        #expect(finished)
        let copy = try File.open("/proc/self/fd/\(sink.raw)", 0)
        #expect(try File.readAll(copy.raw, limit: 100_000) == bytes)
        _ = consume reader
    }

    /// A full pipe must make the pump wait in poll, not block in write.
    @Test func aSlowReaderBlocksNothing() throws {
        let source = try Pipe()
        let sink = try Pipe()
        try File.write(source.writer.raw, [UInt8](repeating: 1, count: 65_536))
        try File.write(sink.writer.raw, [UInt8](repeating: 2, count: 65_536))
        var pump = Pump(from: source.reader.raw, to: sink.writer.raw)
        var items = [pump.pollItem]
        try PollItem.wait(&items, milliseconds: 1000)
        let delivered = pump.advance(items[0])
        #expect(delivered)
        items = [pump.pollItem]
        let ready = try PollItem.wait(&items, milliseconds: 50)
        #expect(ready == 0)
        #expect(!pump.isDone)
    }

    @Test func aReaderThatIsGoneEndsIt() throws {
        let source = try Pipe()
        let sink = try Pipe().keepWriter()
        try File.write(source.writer.raw, "x")
        var pump = Pump(from: source.reader.raw, to: sink.raw)
        let finished = BrokenPipe.ignoring { try? run(&pump) }
        #expect(finished == false)
        #expect(pump.isDone)
    }
}
