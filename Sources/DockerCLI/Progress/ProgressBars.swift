internal import Images

/// Lines of layers and a total, drawn over each other at the foot of a terminal. After each drawing the cursor stands at the
/// start of the line below, so that a process that dies leaves a clean terminal; nothing is ever hidden or recoloured.
final class ProgressBars {
    private let output: any TextOutput
    private let clock: () -> Int64
    private var layers: [LayerProgress] = []
    private var places: [String: Int] = [:]
    private var total = RateMeter()
    /// Widths of the lines on the screen, from the top.
    private var drawn: [Int] = []
    private var lastDrawing: Int64?
    private var isStale = false

    /// At most ten drawings a second, in nanoseconds.
    static let interval: Int64 = 100_000_000

    init(_ output: any TextOutput, clock: @escaping () -> Int64) {
        self.output = output
        self.clock = clock
    }

    func update(_ id: String, _ state: WorkerEvent.LayerState) {
        let now = clock()
        if let place = places[id] {
            layers[place].update(state, at: now)
        } else {
            places[id] = layers.count
            layers.append(LayerProgress(id: id, state, at: now))
        }
        total.add(layers.reduce(0) { $0 &+ $1.received }, at: now)
        isStale = true
        if let last = lastDrawing, now - last < Self.interval { return }
        draw(withTotal: true, at: now)
    }

    /// The last drawing, without the total; the lines stay and later text goes below.
    func finish() {
        if isStale || !drawn.isEmpty { draw(withTotal: false, at: clock()) }
        layers = []
        places = [:]
        drawn = []
        total = RateMeter()
        isStale = false
    }

    /// Takes the bars away while `body` writes, and puts them back below.
    func interrupt(_ body: () -> Void) {
        let had = !drawn.isEmpty
        if had { output.write(erase(output.columns)) }
        drawn = []
        body()
        if had { draw(withTotal: true, at: clock()) }
    }

    private func draw(withTotal: Bool, at now: Int64) {
        // The last column stays free: a character there makes some terminals wrap.
        let columns = output.columns
        let width = max(20, columns - 1)
        var lines = visible(reserving: withTotal ? 2 : 1).map { $0.line(width) }
        if withTotal, let line = totalLine(width) { lines.append(line) }
        // One write a frame: an interrupt finds a whole one.
        output.write(erase(columns) + lines.map { $0 + "\n" }.joined())
        drawn = lines.map(\.count)
        lastDrawing = now
        isStale = false
    }

    /// Back to the start of the first line and everything below it away. A terminal made narrower has broken long lines, so
    /// the rows are counted with the width of now.
    private func erase(_ columns: Int) -> String {
        let rows = drawn.reduce(0) { $0 + max(1, ($1 + columns - 1) / max(1, columns)) }
        return rows == 0 ? "" : "\u{1B}[\(min(rows, max(1, output.rows - 1)))A\r\u{1B}[J"
    }

    /// What fits on the screen: lines that scrolled away can't be drawn over. Layers at work come before those done.
    private func visible(reserving lines: Int) -> [LayerProgress] {
        let room = max(1, output.rows - lines)
        guard layers.count > room else { return layers }
        let active = layers.filter { !$0.isAtRest }
        let rest = layers.filter(\.isAtRest)
        let chosen = Set((active.prefix(room) + rest.suffix(max(0, room - active.count))).map(\.id))
        return layers.filter { chosen.contains($0.id) }
    }

    private func totalLine(_ width: Int) -> String? {
        let expected = layers.reduce(Int64(0)) { $0 &+ $1.expected }
        let received = layers.reduce(Int64(0)) { $0 &+ $1.received }
        guard expected > 0 else { return nil }
        return Bar.line("Total", received, expected, rate: total.perSecond, width)
    }
}

extension LayerProgress {
    var isAtRest: Bool {
        switch state {
        case .complete, .alreadyExists, .waiting, .pushed, .alreadyThere, .mounted, .preparing: true
        default: false
        }
    }
}
