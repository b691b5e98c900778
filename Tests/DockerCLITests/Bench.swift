import DockerCLI
import Engine
import Images
import Logs
import OCI

/// What a command wrote, in memory.
final class BufferOutput: TextOutput {
    var text = ""
    var writes: [String] = []
    var isTerminal: Bool
    var columns: Int
    var rows: Int

    init(isTerminal: Bool = false, columns: Int = 80, rows: Int = 24) {
        self.isTerminal = isTerminal
        self.columns = columns
        self.rows = rows
    }

    func write(_ text: String) {
        self.text += text
        writes.append(text)
    }
}

/// An error as the engine throws it.
struct PlainFailure: Error, CustomStringConvertible {
    let description: String
}

struct CodedFailure: ExitCodeError, CustomStringConvertible {
    let description: String
    let exitCode: Int32?
}

/// Records what it is asked for and answers from what the test put in.
final class RecordingEngine: EngineVerbs {
    var ran: [RunRequest] = []
    var pulled: [PullRequest] = []
    var places: [ResolvedPlace] = []
    /// What the verbs of RegistryVerbs were asked, and what they answer.
    var queries: [RegistryQuery] = []
    var reply = RegistryReply()
    var shown: [RegistryAccess.Credentials?] = []
    var kept: [StoredLogin] = []
    var helper: String?
    var removed: [String] = []
    var events: [EngineEvent] = []
    var summaries: [ImageSummary] = []
    var removals: [String: [ImageRemoval]] = [:]
    var tagged: [String] = []
    var histories: [String: [ImageStep]] = [:]
    var layerTree = LayerTree()
    var notedPrunes: [String] = []
    /// What `pruneImages` was asked, and answers.
    var prunes: [String] = []
    var reclaimed = Reclaimed()
    var spaceReport = SpaceReport()
    var exitCode: Int32 = 0
    var failure: (any Error)?
    var systemInfo = SystemInfo()
    var dataRoot = "/var/lib/runimg"
    /// What the verbs of UsageVerbs were asked, and what they answer.
    var usageCalls: [String] = []
    var updates: [UpdateRequest] = []
    var looks: [[ContainerStats]] = []
    var processes = ProcessTable(titles: [], rows: [])
    var happened: [Event] = []
    var asked: [LogsRequest] = []
    var logged: [(LogEntry, LogSource)] = []
    var eventQueries: [EventQuery] = []
    var containers: [ContainerSummary] = []
    var scopes: [SummaryScope] = []
    var imageIDs: [String: Digest] = [:]
    var details: [String: ContainerDetails] = [:]
    var pullFailures: [String: EngineError] = [:]
    var imageDetails: [String: ImageDetails] = [:]
    var volumeList: [VolumeDetails] = []
    /// What `network create` and `connect` were asked, and the networks that there are.
    var askedNetworks: [NetworkRequest] = []
    var connections: [EndpointOptions] = []
    var networkList: [NetworkDetails] = []
    var removedContainers: [String] = []
    /// What other verbs on containers were asked, in order.
    var verbs: [String] = []
    /// What is in directories of containers, by `NAME:PATH`.
    var files: [String: [NamedFile]] = [:]

    func run(_ request: RunRequest, observer: (EngineEvent) -> Void) throws -> RunOutcome {
        ran.append(request)
        for event in events { observer(event) }
        if let failure { throw failure }
        return .ended(exitCode)
    }

    func pull(_ requests: [PullRequest], observer: (Int, EngineEvent) -> Void) throws -> [EngineError?] {
        pulled += requests
        for index in requests.indices { for event in events { observer(index, event) } }
        if let failure { throw failure }
        return requests.map { pullFailures[$0.source] }
    }

    func events(
        _ query: EventQuery, outputs: [Int32], take: @escaping (Event) -> Bool, notice: @escaping (LogNotice) -> Void
    ) throws {
        eventQueries.append(query)
        for event in happened where !take(event) { return }
    }

    func info() throws -> SystemInfo { systemInfo }

    func version() -> VersionInfo {
        VersionInfo(
            version: "1.2.3", gitCommit: "abc1234", buildTime: "2025-01-02T03:04:05Z", os: "linux",
            architecture: "amd64", swiftVersion: "6.3.1")
    }
}

/// A command line and what came of it.
struct Bench {
    let output: BufferOutput
    let errors: BufferOutput
    let engine = RecordingEngine()
    var environment: [String: String] = [:]
    var now: Int64 = 1_763_700_000
    var standardInputIsTerminal = false
    /// What `readLine` gives line by line, instead of `answer`.
    var lines: [String] = []
    /// What `readLine` gives.
    var answer: String?
    var secret: String?
    var input: String?

    init(isTerminal: Bool = false) {
        output = BufferOutput(isTerminal: isTerminal)
        errors = BufferOutput(isTerminal: isTerminal)
    }

    func run(_ arguments: [String]) -> Int32 {
        let environment = environment
        let now = now
        let engine = engine
        let (answer, secret, input) = (answer, secret, input)
        var context = CommandContext(
            program: "runimg", output: output, errors: errors, environment: { environment[$0] }, now: { now },
            standardInputIsTerminal: standardInputIsTerminal, makeEngine: { _ in engine })
        var rest = lines[...]
        let hasLines = !lines.isEmpty
        context.readLine = { hasLines ? rest.popFirst() : answer }
        context.readSecret = { secret }
        context.readInput = { _ in input }
        return DockerCLI.main(arguments, context)
    }

    func run(_ line: String) -> Int32 { run(line.split(separator: " ").map(String.init)) }
}

/// The request of a `run` command line, or the message that refuses it.
enum Parsed: Equatable {
    case request(RunRequest, warnings: [String])
    case refused(String, usage: Bool)

    static func run(_ arguments: [String]) -> Parsed {
        var draft = RunDraft()
        do throws(ParseError) {
            let outcome = try FlagParser(RunCommand.flags, interspersed: false).parse(arguments[...], into: &draft)
            do throws(ValueError) {
                let (request, warnings) = try RunCommand.request(draft, outcome.positionals)
                return .request(request, warnings: outcome.warnings + warnings)
            } catch {
                return .refused("\(ParseError.value(flag: "", text: "", error))", usage: false)
            }
        } catch {
            return .refused("\(error)", usage: error.showsUsage)
        }
    }
}
