internal import Images
internal import OCI

/// How far one layer is, and how fast.
struct LayerProgress {
    let id: String
    private(set) var state: WorkerEvent.LayerState
    private var meter = RateMeter()
    /// Compressed bytes that have arrived, and all there are, as far as known.
    private(set) var received: Int64 = 0
    private(set) var expected: Int64 = 0

    init(id: String, _ state: WorkerEvent.LayerState, at now: Int64) {
        self.id = id
        self.state = state
        update(state, at: now)
    }

    mutating func update(_ new: WorkerEvent.LayerState, at now: Int64) {
        let wasExtracting = if case .extracting = state { true } else { false }
        state = new
        switch new {
        case .downloading(let current, let total), .pushing(let current, let total):
            (received, expected) = (current, max(total, 0))
            meter.add(current, at: now)
        case .extracting(let current, _):
            if !wasExtracting { meter = RateMeter() }
            received = max(received, expected)
            meter.add(current, at: now)
        case .verifying, .downloaded, .complete, .alreadyExists, .pushed, .alreadyThere, .mounted:
            received = max(received, expected)
        case .retrying: meter = RateMeter()
        case .waiting, .pulling, .preparing: break
        }
    }

    /// At most `columns` wide.
    func line(_ columns: Int) -> String {
        switch state {
        case .downloading(let current, let total), .extracting(let current, let total),
            .pushing(let current, let total):
            return Bar.line("\(id): \(state.title)", current, total, rate: meter.perSecond, columns)
        case .retrying(_, let reason): return Bar.clip("\(id): \(state.title): \(reason)", columns)
        default: return Bar.clip("\(id): \(state.title)", columns)
        }
    }
}

/// Bytes a second, smoothed over about two seconds so that the number can be read.
struct RateMeter {
    private var lastTime: Int64?
    private var lastBytes: Int64 = 0
    private var rate: Double = 0

    /// nil until enough time has passed.
    var perSecond: Double? { rate > 0 ? rate : nil }

    mutating func add(_ bytes: Int64, at now: Int64) {
        guard let last = lastTime, bytes >= lastBytes else {
            (lastTime, lastBytes) = (now, bytes)
            return
        }
        let seconds = Double(now - last) / 1e9
        // Shorter intervals measure buffers.
        guard seconds >= 0.2 else { return }
        let current = Double(bytes - lastBytes) / seconds
        let weight = min(1, seconds / 2)
        rate = rate == 0 ? current : rate + (current - rate) * weight
        (lastTime, lastBytes) = (now, bytes)
    }
}

/// One line with a bar: `abc: Downloading [====>     ]  1.2MB/3.6MB  2.1MB/s  1s`.
enum Bar {
    static func line(_ title: String, _ current: Int64, _ total: Int64, rate: Double?, _ columns: Int) -> String {
        let current = max(0, current)
        guard total > 0 else { return clip("\(title)  \(Human.size(current))", columns) }
        let done = min(current, total)
        var numbers = "\(Human.size(done))/\(Human.size(total))"
        if let rate {
            numbers += "  \(Human.size(Int64(min(rate, 1e18)), digits: 3))/s"
            if done < total { numbers += "  \(time(Double(total - done) / rate))" }
        }
        let room = min(50, columns - title.count - numbers.count - 5)
        guard room >= 10 else { return clip("\(title)  \(numbers)", columns) }
        let filled = Int(Double(room) * Double(done) / Double(total))
        let head = filled < room ? ">" : ""
        let bar = String(repeating: "=", count: filled) + head
        let blanks = String(repeating: " ", count: max(0, room - filled - head.count))
        return "\(title) [\(bar)\(blanks)]  \(numbers)"
    }

    /// `59s`, `4m05s`, `2h10m`.
    static func time(_ seconds: Double) -> String {
        guard seconds < 360_000 else { return "--" }
        let whole = Int(seconds.rounded(.up))
        func two(_ number: Int) -> String { number < 10 ? "0\(number)" : "\(number)" }
        if whole < 60 { return "\(whole)s" }
        if whole < 3600 { return "\(whole / 60)m\(two(whole % 60))s" }
        return "\(whole / 3600)h\(two(whole / 60 % 60))m"
    }

    /// Without what a terminal would act on, and not longer than the line.
    static func clip(_ text: String, _ columns: Int) -> String {
        let clean = text.hasControlCharacters ? GoValue.quoted(text) : text
        return String(clean.prefix(max(1, columns)))
    }
}
