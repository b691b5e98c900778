package import Engine
internal import OCI

/// podman's `mount` and `image mount`: mounts what is named, or lists what is mounted.
package protocol MountingCommand: Command where Draft == MountDraft {
    static var scope: MountScope { get }
}

package struct MountDraft: Sendable {
    package var all = false
    package var latest = false
    package var format = ""
    package var wholeIDs = false
}

extension MountingCommand {
    package static var failureCode: Int32 { 125 }

    package static func newDraft(_ context: CommandContext) -> MountDraft { MountDraft() }

    package static func execute(
        _ draft: MountDraft, _ arguments: [String], _ context: CommandContext
    ) throws -> Int32 {
        let engine = try context.engine()
        guard ["", "json"].contains(draft.format) else {
            throw CommandError.failed("unknown --format argument: \(GoValue.quoted(draft.format))", code: failureCode)
        }
        if draft.all, !arguments.isEmpty {
            throw CommandError.failed(
                "when using the --all switch, you may not pass any names or IDs", code: failureCode)
        }
        var names = arguments
        if draft.all || draft.latest { names = try chosen(draft, engine) }
        if names.isEmpty, !draft.all {
            context.output.write(MountList.render(try engine.mountedFiles(scope), draft))
            return 0
        }
        if names.count == 2, Engine.isPath(names[1]) {
            context.output.line(try engine.mount(names[0], at: names[1], scope))
            return 0
        }
        return Mounting.each(names, context) { try engine.mount($0, at: nil, scope) }
    }

    private static func chosen(_ draft: MountDraft, _ engine: any EngineVerbs) throws -> [String] {
        if scope == .images { return try engine.images { _ in }.map(\.id.description) }
        let listed = try engine.list()
        if !draft.latest { return listed.map(\.record.id) }
        guard let newest = listed.first else { throw CommandError.failed("no such container", code: failureCode) }
        return [newest.record.id]
    }
}

/// `mount [OPTIONS] [CONTAINER|IMAGE...]`, `mount CONTAINER|IMAGE DIRECTORY`.
package enum MountCommand: MountingCommand {
    package static let scope = MountScope.all
    package static let info = CommandInfo(
        path: "mount", synopsis: "[OPTIONS] [CONTAINER|IMAGE...]\n[OPTIONS] CONTAINER|IMAGE DIRECTORY",
        summary: "Mount the files of containers or images on the host, or list what is mounted",
        aliases: ["container mount", "mount"], arguments: .atLeast(0),
        operands: [.either([.container(.any), .image]), .either([.container(.any), .image, .directory])])

    package static let flags = FlagTable<MountDraft>([
        .bool("all", short: "a", "All containers") { $0.all = $1 },
        .bool("latest", short: "l", "The container that was made last") { $0.latest = $1 },
        MountList.format, MountList.whole,
    ])
}

/// `image mount [OPTIONS] [IMAGE...]`.
package enum ImageMountCommand: MountingCommand {
    package static let scope = MountScope.images
    package static let info = CommandInfo(
        path: "image mount", synopsis: "[OPTIONS] [IMAGE...]\n[OPTIONS] IMAGE DIRECTORY",
        summary: "Mount the files of images on the host, or list what is mounted", aliases: ["image mount"],
        arguments: .atLeast(0), operands: [.image, .either([.image, .directory])])

    package static let flags = FlagTable<MountDraft>([
        .bool("all", short: "a", "All images") { $0.all = $1 }, MountList.format,
    ])
}

/// What is mounted, as podman shows it.
enum MountList {
    static let format = Flag<MountDraft>.value("format", takes: .words(["json"]), "List as json") { $0.format = $1 }
    static let whole = Flag<MountDraft>.bool("no-trunc", "List whole IDs") { $0.wholeIDs = $1 }

    static func render(_ files: [MountedFiles], _ draft: MountDraft) -> String {
        if draft.format == "json" { return TemplateValue.list(files.map(value)).indentedJSON + "\n" }
        return files.flatMap { file in file.places.map { "\(title(file, draft))  \($0)\n" } }.joined()
    }

    private static func title(_ file: MountedFiles, _ draft: MountDraft) -> String {
        switch file.owner {
        case .container(let id, _): draft.wholeIDs ? id : String(id.prefix(12))
        case .image(let id, let names, _): names.first ?? id.description
        }
    }

    private static func value(_ file: MountedFiles) -> TemplateValue {
        var fields = [TemplateValue.Field("id", .string(file.id))]
        switch file.owner {
        case .container(_, let name): fields.append(.init("Names", .strings([name])))
        case .image(_, let names, let digests):
            fields.append(.init("Names", .strings(digests.map(\.description))))
            fields.append(.init("Repositories", .strings(names)))
        }
        fields.append(.init("mountpoint", .string(file.places.first ?? "")))
        return .record(fields)
    }
}

/// What both directions have in common.
enum Mounting {
    /// Does `body` for each and prints what it returns; goes on after a failure. podman's exit code tells of one.
    static func each(_ names: [String], _ context: CommandContext, _ body: (String) throws -> String?) -> Int32 {
        var code: Int32 = 0
        for name in names {
            do {
                if let line = try body(name) { context.output.line(line) }
            } catch {
                context.errors.line("\(context.program): \(error)")
                code = 125
            }
        }
        return code
    }
}
