internal import Glibc
internal import OCI
internal import Sys

/// The OCI runtime that a container is made by in place of our own, as it was found when the container was made.
package struct RuntimeChoice: Sendable, Hashable {
    /// As the user calls it.
    package var name: String
    /// An executable file.
    package var path: String
    /// Ahead of its verb.
    package var arguments: [String] = []

    /// Our own.
    package static let builtIn = "runimg"

    /// Where a name is looked up.
    static let directories = ["/usr/local/sbin", "/usr/local/bin", "/usr/sbin", "/usr/bin", "/sbin", "/bin"]

    /// The program of this name; nil where there is none.
    static func find(_ name: String) -> String? {
        directories.lazy.map { "\($0)/\(name)" }.first(where: isProgram)
    }

    static func isProgram(_ path: String) -> Bool {
        guard let status = try? File.status(path, follow: true), status.isRegular else { return false }
        return access(path, X_OK) == 0
    }
}

/// The keys of a configuration file that are about runtimes, which are docker's.
struct RuntimeKeys: FieldRecord {
    static let blank = RuntimeKeys()
    var runtimes: [String: Runtime]?
    var defaultRuntime: String?

    struct Runtime: FieldRecord {
        static let blank = Runtime()
        var path: String?
        var runtimeArgs: [String]?
        var runtimeType: String?

        mutating func fields<Coder: FieldCoder>(_ coder: inout Coder) throws(Coder.Failure) {
            try coder.field("path", &path)
            try coder.field("runtimeArgs", &runtimeArgs)
            try coder.field("runtimeType", &runtimeType)
        }
    }

    mutating func fields<Coder: FieldCoder>(_ coder: inout Coder) throws(Coder.Failure) {
        try coder.field("runtimes", &runtimes)
        try coder.field("default-runtime", &defaultRuntime)
    }

    /// docker's own default, written down in its file, is no wish for another runtime than the engine's own.
    func apply(to configuration: inout Configuration, isDockers: Bool) {
        for (name, runtime) in runtimes ?? [:] {
            configuration.runtimes[name] = Configuration.Runtime(
                path: runtime.path, arguments: runtime.runtimeArgs ?? [], type: runtime.runtimeType)
        }
        let isDockersOwn = isDockers && defaultRuntime == "runc" && runtimes?["runc"] == nil
        configuration.defaultRuntime = isDockersOwn ? nil : defaultRuntime
    }
}

extension Configuration {
    /// One that the file names.
    package struct Runtime: Sendable, Hashable {
        /// A program, by its name or path.
        package var path: String?
        package var arguments: [String]
        /// A shim of containerd's, which is no program with runc's command line.
        package var type: String?
    }
}

extension Engine {
    /// The runtime for a new container; nil for our own. Throws in docker's words for one that is not there.
    func chooseRuntime(_ request: RunRequest) throws(EngineError) -> RuntimeChoice? {
        let name = request.runtime ?? configuration.defaultRuntime ?? RuntimeChoice.builtIn
        if name == RuntimeChoice.builtIn { return nil }
        if isEmulated { throw Engine.unemulated("another runtime") }
        let configured = configuration.runtimes[name]
        if let configured, configured.path == nil {
            throw .invalid(
                "runtime \(name): \(configuration.file ?? "the configuration") gives no path for it"
                    + (configured.type.map { ", and \($0) is a shim of containerd's, which runimg does not run" } ?? "")
            )
        }
        let asked = configured?.path ?? name
        let path = asked.contains("/") ? try Engine.absolute(asked) : RuntimeChoice.find(asked)
        guard let path, RuntimeChoice.isProgram(path) else {
            let places = asked.contains("/") ? asked : RuntimeChoice.directories.joined(separator: ":")
            throw .invalid(
                "unknown or invalid runtime name: \(name); there is no program \(asked.contains("/") ? "at" : "of that name in") "
                    + places)
        }
        return RuntimeChoice(name: name, path: path, arguments: configured?.arguments ?? [])
    }

    /// Ours, those of the configuration, and of the usual ones those that are there: name and path.
    var knownRuntimes: [String: String] {
        var result = [RuntimeChoice.builtIn: RuntimeChoice.builtIn]
        for name in ["crun", "runc"] { result[name] = RuntimeChoice.find(name) }
        for (name, runtime) in configuration.runtimes { result[name] = runtime.path ?? runtime.type }
        return result
    }
}
