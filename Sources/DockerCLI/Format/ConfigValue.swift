internal import OCI

/// What docker calls a Config, of a container or an image.
struct ConfigValue {
    private typealias Field = TemplateValue.Field

    var hostname = ""
    var domainname = ""
    var user = ""
    var attachInput = false
    var attachOutput = false
    var attachErrors = false
    var exposedPorts: [String] = []
    var terminal = false
    var openInput = false
    var inputOnce = false
    var environment: [String]?
    var command: [String]?
    var healthcheck: ImageConfig.Healthcheck?
    var image = ""
    var volumes: [String] = []
    var workingDirectory = ""
    var entrypoint: [String]?
    var onBuild: [String]?
    var labels: [String: String]?
    var stopSignal: String?
    var stopTimeout: Int?
    var shell: [String]?

    init() {}

    init(_ execution: ImageConfig.Execution) {
        user = execution.user ?? ""
        exposedPorts = execution.exposedPorts.map { Array($0.keys) } ?? []
        environment = execution.env
        command = execution.cmd
        healthcheck = execution.healthcheck
        volumes = execution.volumes.map { Array($0.keys) } ?? []
        workingDirectory = execution.workingDir ?? ""
        entrypoint = execution.entrypoint
        labels = execution.labels
        stopSignal = execution.stopSignal
        shell = execution.shell
    }

    func make(isContainer: Bool) -> TemplateValue {
        func set(_ keys: [String]) -> TemplateValue {
            .map(Dictionary(keys.map { ($0, TemplateValue.record([])) }) { first, _ in first })
        }
        func list(_ values: [String]?) -> TemplateValue { values.map { .strings($0) } ?? .nullList }
        let labelMap = labels.map { TemplateValue.map($0.mapValues { .string($0) }) }
        return .record([
            Field("Hostname", .string(hostname)), Field("Domainname", .string(domainname)),
            Field("User", .string(user)), Field("AttachStdin", .bool(attachInput)),
            Field("AttachStdout", .bool(attachOutput)), Field("AttachStderr", .bool(attachErrors)),
            Field("ExposedPorts", set(exposedPorts), omitsEmpty: true), Field("Tty", .bool(terminal)),
            Field("OpenStdin", .bool(openInput)), Field("StdinOnce", .bool(inputOnce)),
            Field("Env", list(environment)), Field("Cmd", list(command)),
            Field("Healthcheck", healthcheck.map(health) ?? .null, omitsEmpty: true), Field("Image", .string(image)),
            Field("Volumes", volumes.isEmpty ? .nullMap : set(volumes)),
            Field("WorkingDir", .string(workingDirectory)), Field("Entrypoint", list(entrypoint)),
            Field("OnBuild", list(onBuild)), Field("Labels", labelMap ?? (isContainer ? .map([:]) : .nullMap)),
            Field("StopSignal", .string(stopSignal ?? ""), omitsEmpty: true),
            Field("StopTimeout", stopTimeout.map { .int(Int64($0)) } ?? .null, omitsEmpty: stopTimeout == nil),
            Field("Shell", list(shell), omitsEmpty: true),
        ])
    }

    private func health(_ check: ImageConfig.Healthcheck) -> TemplateValue {
        .record([
            Field("Test", .strings(check.test ?? []), omitsEmpty: true),
            Field("Interval", .int(check.interval ?? 0), omitsEmpty: true),
            Field("Timeout", .int(check.timeout ?? 0), omitsEmpty: true),
            Field("StartPeriod", .int(check.startPeriod ?? 0), omitsEmpty: true),
            Field("StartInterval", .int(check.startInterval ?? 0), omitsEmpty: true),
            Field("Retries", .int(Int64(check.retries ?? 0)), omitsEmpty: true),
        ])
    }
}
