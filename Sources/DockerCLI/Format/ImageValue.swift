internal import Engine
internal import Images
internal import OCI

/// An image as docker's JSON (its API's ImageInspect): keys in docker's order.
enum ImageValue {
    private typealias Field = TemplateValue.Field

    static func make(_ details: ImageDetails) -> TemplateValue {
        let image = details.image
        let config = image.config
        var values = config.config.map(ConfigValue.init) ?? ConfigValue()
        values.onBuild = details.config["config"]?["OnBuild"]?.strings
        values.hostname = details.config["config"]?["Hostname"]?.string ?? ""
        values.image = details.config["config"]?["Image"]?.string ?? ""
        let tags = image.names.map(\.familiar)
        let digests = image.digests.map(\.familiar)
        return .record([
            Field("Id", .string(image.id.description)), Field("RepoTags", .strings(tags)),
            Field("RepoDigests", .strings(digests)), Field("Parent", .string("")),
            Field("Comment", .string(comment(details))),
            Field("Created", .string(image.created ?? ""), omitsEmpty: true),
            Field("Container", .string(details.config["container"]?.string ?? "")),
            Field("ContainerConfig", builderConfig(details)),
            Field("DockerVersion", .string(details.config["docker_version"]?.string ?? "")),
            Field("Author", .string(config.author ?? "")), Field("Config", values.make(isContainer: false)),
            Field("Architecture", .string(config.architecture)),
            Field("Variant", .string(config.variant ?? ""), omitsEmpty: true), Field("Os", .string(config.os)),
            Field("OsVersion", .string(config.osVersion ?? ""), omitsEmpty: true),
            Field("Size", .int(image.size)), Field("VirtualSize", .int(image.size)),
            Field("GraphDriver", ContainerValue.graphDriver(details.layers)),
            Field(
                "RootFS",
                .record([
                    Field("Type", .string(config.rootfs.type)),
                    Field("Layers", .strings(config.rootfs.diffIDs.map(\.description)), omitsEmpty: true),
                ])),
            Field("Metadata", .record([Field("LastTagTime", time(details.taggedAt))])),
            // Not docker's.
            Field("LastUsed", time(details.usedAt)),
        ])
    }

    private static func time(_ text: String?) -> TemplateValue {
        .string(text.map(GoTime.trimmed) ?? ContainerValue.never)
    }

    /// As the config has it, or as the last step of its history.
    private static func comment(_ details: ImageDetails) -> String {
        details.config["comment"]?.string ?? details.image.config.history?.last?.comment ?? ""
    }

    /// What docker's classic builder left of its last step; empty for images of other builders.
    private static func builderConfig(_ details: ImageDetails) -> TemplateValue {
        var values = ConfigValue()
        if let config = details.config["container_config"] {
            values.hostname = config["Hostname"]?.string ?? ""
            values.domainname = config["Domainname"]?.string ?? ""
            values.user = config["User"]?.string ?? ""
            values.exposedPorts = config["ExposedPorts"]?.object.map { Array($0.keys) } ?? []
            values.environment = config["Env"]?.strings
            values.command = config["Cmd"]?.strings
            values.image = config["Image"]?.string ?? ""
            values.volumes = config["Volumes"]?.object.map { Array($0.keys) } ?? []
            values.workingDirectory = config["WorkingDir"]?.string ?? ""
            values.entrypoint = config["Entrypoint"]?.strings
            values.onBuild = config["OnBuild"]?.strings
            values.labels = config["Labels"]?.stringMap
        }
        return values.make(isContainer: false)
    }
}
