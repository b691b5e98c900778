internal import Engine
internal import Images
package import OCI

/// What `inspect` and its kin were asked.
package struct InspectDraft: Sendable {
    package var format = ""
    package var sizes = false
    package var type = ""
    /// Whether the registry is asked, and not the store.
    package var remote = false
    package var platform: Platform?
    var registry = RegistryFlags()

    package init(type: String = "") { self.type = type }

    static let format: Flag<InspectDraft> = .value(
        "format", short: "f", takes: .objectFormat, "Output as json or by a Go template"
    ) { $0.format = $1 }
    static let size: Flag<InspectDraft> = .bool("size", short: "s", "Show what containers take of the disk") {
        $0.sizes = $1
    }
    /// Of images that are somewhere else.
    static let remotes: [Flag<InspectDraft>] =
        [
            .bool("remote", "Ask the image's registry, and fetch no layer") { $0.remote = $1 },
            .value("platform", takes: .platform, "With --remote: OS/ARCHITECTURE[/VARIANT]") {
                (draft, text) throws(ValueError) in draft.platform = try CommonFlags.platform(text)
            },
        ] + RegistryFlags.flags(\InspectDraft.registry)

    /// When all flags are read.
    func check() throws {
        if remote {
            guard type == "image" else {
                throw CommandError.failed("--remote is for images: add --type image", code: 1)
            }
        } else if platform != nil {
            throw CommandError.planned("--platform without --remote")
        } else if try registry.isUsed {
            throw CommandError.failed("flags about the registry need --remote", code: 1)
        }
    }
}

/// `inspect [OPTIONS] NAME|ID [NAME|ID...]`.
package enum InspectCommand: Command {
    package static let info = CommandInfo(
        path: "inspect", synopsis: "[OPTIONS] NAME|ID [NAME|ID...]",
        summary: "Show all of a container, image, network or volume",
        aliases: ["inspect"], arguments: .atLeast(1), operands: [.object])
    package static let flags = FlagTable<InspectDraft>(
        [
            InspectDraft.format, InspectDraft.size,
            .value(
                "type", takes: .words(Inspection.types), "Look for this kind only: container, image, network, volume"
            ) {
                $0.type = $1
            },
        ] + InspectDraft.remotes)

    package static func newDraft(_ context: CommandContext) -> InspectDraft { InspectDraft() }

    package static func execute(
        _ draft: InspectDraft, _ arguments: [String], _ context: CommandContext
    ) throws -> Int32 {
        guard draft.type.isEmpty || Inspection.types.contains(draft.type) else {
            let known = Inspection.types.map { "\"\($0)\"" }.joined(separator: ", ")
            throw CommandError.failed("unknown type: \(GoValue.quoted(draft.type)): must be one of \(known)", code: 1)
        }
        if draft.sizes, ["image", "network", "volume"].contains(draft.type) {
            context.errors.line("WARNING: --size ignored for \(draft.type)s")
        }
        return try Inspection(draft, context).run(arguments)
    }
}

/// An `inspect` that looks for one kind of objects.
package protocol KindInspectCommand: Command where Draft == InspectDraft {
    /// Of `Inspection.types`.
    static var type: String { get }
}

extension KindInspectCommand {
    package static func newDraft(_ context: CommandContext) -> InspectDraft { InspectDraft(type: type) }

    package static func execute(
        _ draft: InspectDraft, _ arguments: [String], _ context: CommandContext
    ) throws -> Int32 {
        try Inspection(draft, context).run(arguments)
    }
}

/// `container inspect [OPTIONS] CONTAINER [CONTAINER...]`.
package enum ContainerInspectCommand: KindInspectCommand {
    package static let type = "container"
    package static let info = CommandInfo(
        path: "container inspect", synopsis: "[OPTIONS] CONTAINER [CONTAINER...]", summary: "Show all of a container",
        aliases: ["container inspect"], arguments: .atLeast(1), operands: [.container(.any)])
    package static let flags = FlagTable<InspectDraft>([InspectDraft.format, InspectDraft.size])
}

/// `image inspect [OPTIONS] IMAGE [IMAGE...]`.
package enum ImageInspectCommand: KindInspectCommand {
    package static let type = "image"
    package static let info = CommandInfo(
        path: "image inspect", synopsis: "[OPTIONS] IMAGE [IMAGE...]", summary: "Show all of an image",
        aliases: ["image inspect"], arguments: .atLeast(1), operands: [.image])
    package static let flags = FlagTable<InspectDraft>([InspectDraft.format] + InspectDraft.remotes)
}

/// Finds objects and prints them: all that are there, in one array or one by one through a template, then what is wrong
/// with the others.
struct Inspection {
    /// In the order in which a name is looked for.
    static let types = ["container", "image", "network", "volume"]

    private let draft: InspectDraft
    private let context: CommandContext

    init(_ draft: InspectDraft, _ context: CommandContext) {
        self.draft = draft
        self.context = context
    }

    func run(_ names: [String]) throws -> Int32 {
        try draft.check()
        let isJSON = draft.format.isEmpty || draft.format == "json"
        let template: Template
        do throws(TemplateError) {
            template = try Template(isJSON ? "" : draft.format)
        } catch {
            // docker's code for a template that is none.
            throw CommandError.failed("template parsing error: \(error)", code: 64)
        }
        let engine = try context.engine()
        var found: [TemplateValue] = []
        var problems: [String] = []
        for name in names {
            do { found.append(try look(for: name, engine)) } catch { problems.append("\(error)") }
        }
        if isJSON {
            let array = TemplateValue.list(found)
            context.output.line(draft.format == "json" ? array.json : array.indentedJSON)
        } else {
            problems += render(template, found)
        }
        for problem in problems { context.errors.line("Error: \(problem)") }
        return problems.isEmpty ? 0 : 1
    }

    /// Prints each; returns why it stopped.
    private func render(_ template: Template, _ found: [TemplateValue]) -> [String] {
        for value in found {
            do throws(TemplateError) {
                context.output.line(try template.render(value, mode: .inspection))
            } catch {
                return ["template parsing error: \(error)"]
            }
        }
        return []
    }

    private func look(for name: String, _ engine: any EngineVerbs) throws -> TemplateValue {
        for type in draft.type.isEmpty ? Self.types : [draft.type] {
            do {
                switch type {
                case "container":
                    return ContainerValue.make(try engine.details(of: name, withSize: draft.sizes))
                case "image": return ImageValue.make(try imageDetails(of: name, engine))
                case "network": return NetworkValue.make(try engine.networkDetails(named: name))
                default:
                    let volume = try engine.volume(named: name)
                    if let problem = volume.problem { context.errors.line("WARNING: \(problem)") }
                    return VolumeValue.make(volume)
                }
            } catch  where draft.type.isEmpty && Self.isElsewhere(error) {
                continue
            }
        }
        throw NoSuchObject(name: name)
    }

    private func imageDetails(of name: String, _ engine: any EngineVerbs) throws -> ImageDetails {
        guard draft.remote else { return try engine.imageDetails(of: name) }
        var request = try draft.registry.request(name)
        request.platform = draft.platform
        let screen = PullScreen(context.errors, quiet: true, context)
        return try engine.remoteDetails(request) { screen.show($0) }
    }

    private struct NoSuchObject: Error, CustomStringConvertible {
        let name: String
        var description: String { "No such object: \(Names.printable(name))" }
    }

    /// Not of this kind, or nothing of this kind can have that name.
    private static func isElsewhere(_ error: any Error) -> Bool {
        if case EngineError.store(.invalidName) = error { return true }
        return (error as? any MissingObjectError)?.isMissingObject == true
    }
}
