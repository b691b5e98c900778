internal import OCI

// What `/run/runimg/ID/state.json` says, in both directions.

extension LiveState: FieldRecord {
    static let blank = LiveState(dataRoot: "", pid: 0, isNew: false)

    mutating func fields<Coder: FieldCoder>(_ coder: inout Coder) throws(Coder.Failure) {
        try coder.field("version", &version)
        try coder.field("dataRoot", &dataRoot, .required)
        try coder.field("pid", &pid, .required)
        try coder.field("isNew", &isNew, .required)
        try coder.field("process", &process)
        try coder.field("driver", &driver)
        try coder.field("startedAt", &startedAt)
        try coder.field("failure", &failure)
        try coder.field("cgroups", &cgroups)
        try coder.field("endpoints", &endpoints)
        try coder.field("networkNamespace", &networkNamespace)
        try coder.field("published", &published)
        try coder.field("holder", &holder)
        try coder.field("attachments", &attachments)
        try coder.field("runtime", &runtime)
        try coder.field("proxiesPorts", &proxiesPorts)
    }
}

extension LiveState.Process: FieldRecord {
    static let blank = LiveState.Process(pid: 0, startTime: 0)

    mutating func fields<Coder: FieldCoder>(_ coder: inout Coder) throws(Coder.Failure) {
        try coder.field("pid", &pid, .required)
        try coder.field("startTime", &startTime, .required)
    }
}

extension LiveState.Failure: FieldRecord {
    static let blank = LiveState.Failure(exitCode: 0, reason: "")

    mutating func fields<Coder: FieldCoder>(_ coder: inout Coder) throws(Coder.Failure) {
        try coder.field("exitCode", &exitCode, .required)
        try coder.field("reason", &reason, .required)
    }
}

extension StorageDriver: FieldValue {}
