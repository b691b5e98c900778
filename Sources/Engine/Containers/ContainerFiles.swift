internal import OCI
internal import Sys

extension Engine {
    /// Settles what comes from the caller's surroundings, so that every later start is the same: environment and label
    /// files, the seccomp profile.
    func settle(_ record: inout ContainerRecord) throws(EngineError) {
        let process = record.request.process
        record.environment = try userEnvironment(process.environmentFiles, process.environment)
        record.labels = record.execution.labels ?? [:]
        for file in process.labelFiles {
            for label in try entries(of: file, kind: "label") { record.labels[label.name] = label.value ?? "" }
        }
        for label in process.labels { record.labels[label.name] = label.value ?? "" }
        if case .profile(let path) = record.request.isolation.seccomp {
            let file = try Engine.absolute(path)
            record.request.isolation.seccomp = .profile(path: file)
            record.seccompProfile = String(decoding: try Engine.readProfile(file), as: UTF8.self)
        }
    }

    /// The bytes of the container's seccomp profile, for a start or a further process.
    static func seccompProfile(of record: ContainerRecord, _ path: String) throws(EngineError) -> [UInt8] {
        if let kept = record.seccompProfile { return Array(kept.utf8) }
        return try readProfile(path)
    }

    private static func readProfile(_ path: String) throws(EngineError) -> [UInt8] {
        try call("open the seccomp profile", path) { () throws(Errno) in try File.readAll(path, limit: 4 << 20) }
    }

    /// Files first, so that flags win.
    func userEnvironment(
        _ files: [String], _ flags: [EnvironmentEntry]
    ) throws(EngineError) -> [String] {
        var all: [EnvironmentEntry] = []
        for file in files { all += try entries(of: file, kind: "env") }
        return EnvironmentBuilder.resolve(all + flags) { Environment[$0] }
    }

    private func entries(of path: String, kind: String) throws(EngineError) -> [EnvironmentEntry] {
        let bytes = try call("open", path) { () throws(Errno) in try File.readAll(path, limit: 16 << 20) }
        do throws(EnvironmentFile.ParseError) {
            return try EnvironmentFile.parse(bytes, file: path)
        } catch {
            throw .invalid("invalid \(kind) file: \(error)")
        }
    }
}
