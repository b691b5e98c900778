import DockerCLI
import Engine
import OCI

/// The verbs on images: they remember what they were asked and answer from what the test put in.
extension RecordingEngine: ImageVerbs {
    func images(observer: (EngineEvent) -> Void) throws -> [ImageSummary] { summaries }

    func removeImage(_ name: String, force: Bool, prune: Bool) throws -> [ImageRemoval] {
        removed.append("\(name) \(force) \(prune)")
        if name == "damaged" { throw PlainFailure(description: "damaged") }
        guard let result = removals[name] else { throw EngineError.noSuchImage(name) }
        return result
    }

    func tagImage(_ source: String, as target: String) throws { tagged.append("\(source) \(target)") }

    func history(of name: String) throws -> [ImageStep] {
        guard let found = histories[name] else { throw EngineError.noSuchImage(name) }
        return found
    }

    func pruneImages(_ request: ImagePruneRequest) throws -> Reclaimed {
        var words = request.ids.map(\.short)
        if request.tagged { words.append("tagged") }
        if let bytes = request.keepBytes { words.append("keep=\(bytes)") }
        if request.dryRun { words.append("dry") }
        prunes.append(words.joined(separator: " "))
        return reclaimed
    }

    func space(problem: (String) -> Void) throws -> SpaceReport { spaceReport }

    func checkStore(repairs: Bool, _ asked: PullRequest, fault: (String) -> Void) throws -> StoreCheck { StoreCheck() }

    func imageID(named name: String) throws -> Digest? { imageIDs[name] }

    func imageDetails(of name: String) throws -> ImageDetails {
        guard let found = imageDetails[name] else { throw EngineError.noSuchImage(name) }
        return found
    }
}
