extension ImageConfig {
    /// Reads a config that was checked when it was stored, as `Codable` would. nil: it is none.
    package init?(_ json: JSONValue) {
        guard let architecture = json["architecture"]?.string, let os = json["os"]?.string,
            let rootfs = json["rootfs"], let type = rootfs["type"]?.string,
            let diffIDs = rootfs["diff_ids"].map(\.strings) ?? []
        else { return nil }
        let parsed = diffIDs.compactMap { try? Digest(parsing: $0) }
        guard parsed.count == diffIDs.count else { return nil }
        self.init(os: os, architecture: architecture, diffIDs: parsed)
        self.rootfs.type = type
        created = json["created"]?.string
        author = json["author"]?.string
        variant = json["variant"]?.string
        osVersion = json["os.version"]?.string
        config = json["config"].map(Execution.init)
        history = json["history"]?.array?.map(History.init)
    }
}

extension ImageConfig.Execution {
    fileprivate init(_ json: JSONValue) {
        self.init()
        user = json["User"]?.string
        exposedPorts = json["ExposedPorts"]?.object?.mapValues { _ in ImageConfig.Empty() }
        env = json["Env"]?.strings
        entrypoint = json["Entrypoint"]?.strings
        cmd = json["Cmd"]?.strings
        volumes = json["Volumes"]?.object?.mapValues { _ in ImageConfig.Empty() }
        workingDir = json["WorkingDir"]?.string
        labels = json["Labels"]?.stringMap
        stopSignal = json["StopSignal"]?.string
        shell = json["Shell"]?.strings
        healthcheck = json["Healthcheck"].map(ImageConfig.Healthcheck.init)
        onBuild = json["OnBuild"]?.strings
    }
}

extension ImageConfig.Healthcheck {
    fileprivate init(_ json: JSONValue) {
        test = json["Test"]?.strings
        interval = json["Interval"]?.integer
        timeout = json["Timeout"]?.integer
        startPeriod = json["StartPeriod"]?.integer
        startInterval = json["StartInterval"]?.integer
        retries = json["Retries"]?.integer.map { Int(clamping: $0) }
    }
}

extension ImageConfig.History {
    fileprivate init(_ json: JSONValue) {
        created = json["created"]?.string
        author = json["author"]?.string
        comment = json["comment"]?.string
        createdBy = json["created_by"]?.string
        emptyLayer = json["empty_layer"]?.bool
    }
}
