internal import Images
internal import OCI

extension SourceManifest {
    /// Reads the config, and refuses one that does not belong to the manifest or to `platform`; where nobody asked for
    /// one, an image for another machine is a warning.
    func config(
        _ bytes: [UInt8], of target: PullTarget, for platform: Platform?, _ sink: EventSink
    ) throws(WorkerError) -> ImageConfig {
        let result = try lift(WorkerError.manifest) { () throws(ManifestError) in
            let config = try ImageConfig.decode(bytes, descriptor: self.config)
            guard layers.count == config.rootfs.diffIDs.count else {
                throw .layerCount(layers: layers.count, diffIDs: config.rootfs.diffIDs.count)
            }
            if let promised = self.platform { try config.check(platform: promised) }
            return config
        }
        let wanted = platform ?? .current
        guard wanted.distance(to: result.platform) == nil else { return result }
        if platform != nil { throw .noPlatform(name: target.shown, wanted: wanted, actual: result.platform) }
        sink.send(.warning("the image is for \(ForeignText("\(result.platform)")), this machine is \(wanted)"))
        return result
    }
}
