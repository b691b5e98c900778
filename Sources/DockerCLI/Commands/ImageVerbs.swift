package import Engine
package import OCI

/// The verbs on images that are here.
package protocol ImageVerbs {
    func images(observer: (EngineEvent) -> Void) throws -> [ImageSummary]
    func removeImage(_ name: String, force: Bool, prune: Bool) throws -> [ImageRemoval]
    func tagImage(_ source: String, as target: String) throws
    func history(of name: String) throws -> [ImageStep]
    func pruneImages(_ request: ImagePruneRequest) throws -> Reclaimed
    func space(problem: (String) -> Void) throws -> SpaceReport
    func checkStore(
        repairs: Bool, _ asked: PullRequest, fault: (String) -> Void
    ) throws -> StoreCheck
    func imageID(named name: String) throws -> Digest?
    func imageDetails(of name: String) throws -> ImageDetails
}
