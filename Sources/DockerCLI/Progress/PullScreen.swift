internal import Engine
internal import Images
internal import Sys

/// Shows the events of a pull: bars on a terminal, docker's lines elsewhere, nothing when asked to be quiet.
final class PullScreen {
    private let output: any TextOutput
    private let errors: any TextOutput
    private let debug: Bool
    private let quiet: Bool
    private var bars: ProgressBars?
    private var lastStates: [String: String] = [:]
    /// Several images at once: lines stand above the bars of all.
    var isShared = false
    /// The digest of each of them, until the line that names the image.
    private var digests: [Int: String] = [:]

    convenience init(_ output: any TextOutput, quiet: Bool, _ context: CommandContext) {
        self.init(
            output: output, errors: context.errors, quiet: quiet, debug: context.options.logLevel == .debug,
            drawing: PullScreen.canDraw(output, context.environment), clock: { Clock.monotonicNanoseconds })
    }

    init(
        output: any TextOutput, errors: any TextOutput, quiet: Bool, debug: Bool, drawing: Bool,
        clock: @escaping () -> Int64
    ) {
        self.output = output
        self.errors = errors
        self.quiet = quiet
        self.debug = debug
        bars = drawing && !quiet ? ProgressBars(output, clock: clock) : nil
    }

    /// A terminal that moves its cursor, and a user who wants that.
    static func canDraw(_ output: any TextOutput, _ environment: (String) -> String?) -> Bool {
        guard output.isTerminal, environment("NO_COLOR")?.isEmpty ?? true else { return false }
        guard let kind = environment("TERM") else { return false }
        return !kind.isEmpty && kind != "dumb"
    }

    /// `image`: which of several.
    func show(_ event: EngineEvent, of image: Int = 0) {
        switch event {
        case .imageMissing(let name): if !quiet { note("Unable to find image '\(name)' locally") }
        case .warning(let text): note("WARNING: \(text)")
        case .plan(let text): output.line(text)
        case .timing: break
        case .pull(let event): show(event, image)
        }
    }

    private func show(_ event: WorkerEvent, _ image: Int) {
        switch event {
        case .pulling(let tag, let repository): say("\(tag): Pulling from \(repository)")
        case .layer(let id, let state): showLayer(id, state)
        case .refersTo(let repository): say("The push refers to repository [\(repository)]")
        case .pushed(let tag, let digest, let size): sayLast("\(tag): digest: \(digest) size: \(size)")
        case .digest(let digest):
            if isShared { digests[image] = "Digest: \(digest)" } else { sayLast("Digest: \(digest)") }
        case .status(let text):
            if let digest = digests.removeValue(forKey: image) { sayLast(digest) }
            sayLast("Status: \(text)")
        case .warning(let text): note("WARNING: \(text)")
        case .debug(let text): if debug { note("DEBUG: \(text)") }
        case .done, .failed, .transferred, .resolved, .credentials, .answer, .answered, .loaded, .kept, .checked:
            if !isShared { finish() }
        }
    }

    /// Leaves the cursor at the start of a fresh line, whatever was shown. May be called again.
    func finish() { bars?.finish() }

    private func showLayer(_ id: String, _ state: WorkerEvent.LayerState) {
        if quiet { return }
        if let bars { return bars.update(id, state) }
        // Without a terminal a layer's amounts are left out, and with them its repeated lines.
        guard !state.isAmount, lastStates[id] != state.title else { return }
        lastStates[id] = state.title
        output.line("\(id): \(state.title)")
    }

    private func say(_ text: String) {
        if !isShared { lastStates = [:] }
        sayLast(text)
    }

    /// Below what was shown; above the bars of the others where there are several images.
    func sayLast(_ text: String) {
        if quiet { return }
        if isShared, let bars { return bars.interrupt { output.line(text) } }
        finish()
        output.line(text)
    }

    /// To standard error, above the bars.
    private func note(_ text: String) {
        guard let bars else { return errors.line(text) }
        bars.interrupt { errors.line(text) }
    }
}

extension WorkerEvent.LayerState {
    /// docker's words.
    var title: String {
        switch self {
        case .waiting: "Waiting"
        case .pulling: "Pulling fs layer"
        case .alreadyExists: "Already exists"
        case .downloading: "Downloading"
        case .retrying(let seconds, _): "Retrying in \(seconds) second\(seconds == 1 ? "" : "s")"
        case .verifying: "Verifying Checksum"
        case .downloaded: "Download complete"
        case .extracting: "Extracting"
        case .complete: "Pull complete"
        case .preparing: "Preparing"
        case .pushing: "Pushing"
        case .pushed: "Pushed"
        case .alreadyThere: "Layer already exists"
        case .mounted(let source): "Mounted from \(source)"
        }
    }

    var isAmount: Bool {
        switch self {
        case .downloading, .extracting, .pushing: true
        default: false
        }
    }
}
