package import OCI

// What `containers/ID/config.json` says, in both directions.

extension ContainerRecord: FieldRecord {
    package static let blank = ContainerRecord()

    package mutating func fields<Coder: FieldCoder>(_ coder: inout Coder) throws(Coder.Failure) {
        try coder.field("version", &version, .written)
        try coder.field("id", &id, .required)
        try coder.field("name", &name, .required)
        try coder.field("created", &created, .required)
        try coder.field("image", &image, .required)
        try coder.field("imageName", &imageName, .required)
        try coder.field("path", &path, .required)
        try coder.field("args", &args, .required)
        try coder.field("labels", &labels)
        try coder.field("request", &request, .required)
        try coder.field("execution", &execution, .required)
        try coder.field("hostname", &hostname)
        try coder.field("seccompProfile", &seccompProfile)
        try coder.field("environment", &environment)
        try coder.field("mounts", &mounts)
        try coder.field("anonymousVolumes", &anonymousVolumes)
        try coder.field("runtime", &runtime)
        try coder.field("topLayer", &topLayer)
        try coder.field("state", &state, .required)
    }
}

extension ContainerRecord.State: FieldRecord {
    package static let blank = ContainerRecord.State()

    package mutating func fields<Coder: FieldCoder>(_ coder: inout Coder) throws(Coder.Failure) {
        try coder.field("status", &status, .required)
        try coder.field("exitCode", &exitCode)
        try coder.field("oomKilled", &oomKilled, .written)
        try coder.field("startedAt", &startedAt)
        try coder.field("finishedAt", &finishedAt)
        try coder.field("error", &error)
        try coder.field("restartCount", &restartCount, .written)
        try coder.field("isStopped", &isStopped, .written)
        try coder.field("health", &health)
    }
}

extension ContainerRecord.State.Status: FieldValue {}

extension ContainerHealth: FieldRecord {
    package static let blank = ContainerHealth()

    package mutating func fields<Coder: FieldCoder>(_ coder: inout Coder) throws(Coder.Failure) {
        try coder.field("status", &status, .required)
        try coder.field("failingStreak", &failingStreak, .written)
        try coder.field("log", &log, .written)
    }
}

extension ContainerHealth.Status: FieldValue {}

extension ContainerHealth.Result: FieldRecord {
    package static let blank = ContainerHealth.Result(start: "", end: "", exitCode: 0, output: "")

    package mutating func fields<Coder: FieldCoder>(_ coder: inout Coder) throws(Coder.Failure) {
        try coder.field("start", &start, .required)
        try coder.field("end", &end, .required)
        try coder.field("exitCode", &exitCode, .required)
        try coder.field("output", &output, .required)
    }
}

extension RuntimeChoice: FieldRecord {
    package static let blank = RuntimeChoice(name: "", path: "")

    package mutating func fields<Coder: FieldCoder>(_ coder: inout Coder) throws(Coder.Failure) {
        try coder.field("name", &name, .required)
        try coder.field("path", &path, .required)
        try coder.field("arguments", &arguments, .written)
    }
}
