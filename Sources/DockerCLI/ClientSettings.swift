internal import Engine
internal import OCI
internal import Sys

/// What docker's client keeps in its `config.json`: of it the formats of lists.
package struct ClientSettings: Sendable, Hashable {
    package var imagesFormat = ""
    package var psFormat = ""
    package var volumesFormat = ""
    package var networksFormat = ""

    /// Reads `--config`, `$DOCKER_CONFIG` or `~/.docker`. A file that is missing or can't be read sets nothing: it holds
    /// preferences, and it is docker's.
    static func load(_ context: CommandContext) -> ClientSettings {
        var settings = ClientSettings()
        let set = [context.options.dockerConfigDirectory, context.environment("DOCKER_CONFIG")]
            .compactMap { $0 }.first { !$0.isEmpty }
        guard let directory = set ?? context.environment("HOME").map({ $0 + "/.docker" }),
            let bytes = try? File.readAll("\(directory)/config.json", limit: 1 << 20),
            let json = try? JSONValue(parsing: bytes)
        else { return settings }
        settings.imagesFormat = json["imagesFormat"]?.string ?? ""
        settings.psFormat = json["psFormat"]?.string ?? ""
        settings.volumesFormat = json["volumesFormat"]?.string ?? ""
        settings.networksFormat = json["networksFormat"]?.string ?? ""
        return settings
    }
}
