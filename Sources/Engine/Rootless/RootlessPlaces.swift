internal import Glibc
internal import OCI
internal import Sys

/// Where an ordinary user's images, containers and settings are (XDG Base Directory Specification). The environment may
/// be somebody else's, left over from su(1): what is not the user's own is refused.
package struct RootlessPlaces: Sendable, Hashable {
    /// nil where it was said on the command line.
    package var dataRoot: String?
    package var runDirectory: String
    /// The first that is there is read.
    package var configurationFiles: [String]

    init(dataRoot: String?, runDirectory: String, configurationFiles: [String]) {
        self.dataRoot = dataRoot
        self.runDirectory = runDirectory
        self.configurationFiles = configurationFiles
    }

    /// Looks at the environment, and makes the run directory where it is missing. For outside of the namespace: IDs are
    /// the host's.
    static func find(user: UInt32, _ options: GlobalOptions) throws(EngineError) -> RootlessPlaces {
        let configuration = try base("XDG_CONFIG_HOME", ".config", user: user)
        var files: [String] = []
        if let configuration { files = ["\(configuration)/runimg/config.json", "\(configuration)/docker/daemon.json"] }
        var places = RootlessPlaces(
            dataRoot: nil, runDirectory: try runDirectory(user: user), configurationFiles: files)
        if options.dataRoot != nil { return places }
        guard let data = try base("XDG_DATA_HOME", ".local/share", user: user) else {
            throw .invalid("neither XDG_DATA_HOME nor HOME is set; set one of them, or use --data-root")
        }
        places.dataRoot = "\(data)/runimg"
        return places
    }

    /// The directory that `variable` names, or the one below HOME; nil without either.
    private static func base(_ variable: String, _ usual: String, user: UInt32) throws(EngineError) -> String? {
        if let set = Environment[variable], !set.isEmpty {
            if !set.hasPrefix("/") {
                throw .invalid("\(variable) is \(ForeignText(set)), which is not an absolute path")
            }
            try checkOwner(set, variable, user)
            return set
        }
        guard let home = Environment["HOME"], home.hasPrefix("/") else { return nil }
        try checkOwner(home, "HOME", user)
        return "\(home)/\(usual)"
    }

    private static func checkOwner(_ path: String, _ variable: String, _ user: UInt32) throws(EngineError) {
        guard let status = try? File.status(path, follow: true), status.uid != user else { return }
        throw .invalid(
            "\(variable) is \(ForeignText(path)), which belongs to user \(status.uid) and not to you (user \(user)); "
                + "set \(variable) to a directory of yours")
    }

    // MARK: Run directory

    private static func runDirectory(user: UInt32) throws(EngineError) -> String {
        if let set = Environment["XDG_RUNTIME_DIR"], !set.isEmpty {
            if !set.hasPrefix("/") {
                throw .invalid("XDG_RUNTIME_DIR is \(ForeignText(set)), which is not an absolute path")
            }
            try checkPrivate(
                set, "XDG_RUNTIME_DIR is", user, follow: true, remedy: "set it to a directory of yours, or unset it")
            return try made("\(set)/runimg", user)
        }
        let session = "/run/user/\(user)"
        if (try? File.status(session))?.uid == user { return try made("\(session)/runimg", user) }
        return try made("/tmp/runimg-\(user)", user)
    }

    /// Makes it, or takes it as it is where nobody else can have made it or write to it.
    private static func made(_ path: String, _ user: UInt32) throws(EngineError) -> String {
        do throws(Errno) {
            try Directory.make(path, mode: 0o700)
            // Whatever the umask says.
            let directory = try File.open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW)
            try File.setMode(directory.raw, 0o700)
        } catch {
            if error != .exists { throw .system(SystemFailure("make", path, error)) }
        }
        try checkPrivate(path, "the run directory", user, remedy: "remove it, or set XDG_RUNTIME_DIR")
        return path
    }

    private static func checkPrivate(
        _ path: String, _ what: String, _ user: UInt32, follow: Bool = false, remedy: String
    ) throws(EngineError) {
        let status = try call("look at", path) { () throws(Errno) in try File.status(path, follow: follow) }
        let fault: String
        if !status.isDirectory {
            fault = "is not a directory"
        } else if status.uid != user {
            fault = "belongs to user \(status.uid) and not to you (user \(user))"
        } else if status.mode & 0o022 != 0 {
            fault = "can be written to by others (mode \(String(status.mode & 0o7777, radix: 8)))"
        } else {
            return
        }
        throw .invalid("\(what) \(ForeignText(path)), which \(fault); \(remedy)")
    }
}
