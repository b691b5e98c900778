package import Images
internal import Sys

/// docker's verbs over one data root. Each verb is a method that orders the steps; the steps are the modules below.
package struct Engine: Sendable {
    package static let defaultDataRoot = "/var/lib/runimg"

    package let options: GlobalOptions
    package let configuration: Configuration
    package let dataRoot: String
    package private(set) var images: ImageStore
    package let containers: ContainerStore
    let volumes: VolumeStore
    let networks: NetworkStore
    let live: LiveContainers
    let hierarchies = KnownHierarchies()
    /// By the command line or the configuration; nil: whichever works.
    let askedDriver: StorageDriver?
    /// nil for root.
    package let rootless: Rootless?
    /// For what the user is to know besides what was asked: something that went wrong while nobody looked.
    let notice: @Sendable (String) -> Void

    /// Reads the configuration; touches nothing else.
    package init(
        _ options: GlobalOptions, notice: @escaping @Sendable (String) -> Void = { _ in }
    ) throws(EngineError) {
        self.options = options
        self.notice = notice
        rootless = options.rootless
        let files = rootless?.places.configurationFiles ?? Configuration.systemFiles
        configuration = try Configuration.load(options.configFile, files)
        let named = options.storageDriver ?? configuration.storageDriver ?? ""
        do throws(StorageDriver.UnknownDriver) {
            askedDriver = try StorageDriver.asked(named)
        } catch {
            throw .invalid("\(error)")
        }
        let usual = rootless?.places.dataRoot ?? Engine.defaultDataRoot
        dataRoot = try Engine.absolute(options.dataRoot ?? configuration.dataRoot ?? usual)
        images = ImageStore(dataRoot: dataRoot, marks: rootless == nil ? .trusted : .user)
        containers = ContainerStore(dataRoot: dataRoot)
        volumes = VolumeStore(dataRoot: dataRoot)
        networks = NetworkStore(dataRoot: dataRoot)
        let execRoot =
            options.execRoot ?? configuration.execRoot ?? rootless?.places.runDirectory
            ?? LiveContainers.defaultDirectory
        live = LiveContainers(directory: try Engine.absolute(execRoot))
        images.handOver = deleterStart()
    }

    /// A path of the caller's as an absolute one.
    static func absolute(_ path: String) throws(EngineError) -> String {
        if path.hasPrefix("/") { return path }
        let current = try call("find the working directory for", path) { () throws(Errno) in
            try File.readLink("/proc/self/cwd")
        }
        return "\(current)/\(path)"
    }
}
