internal import Images
package import OCI

/// What is asked of `push`.
package struct PushOptions: Sendable, Hashable {
    package var name: String
    package var allTags = false
    package var platform: Platform?
    package var registry = PullRequest(source: "")

    package init(name: String) { self.name = name }
}

extension Engine {
    /// Gives one tag of a repository, or all that are here, to its registry. Returns the name in full.
    @discardableResult
    package func push(_ options: PushOptions, observer: (EngineEvent) -> Void) throws(EngineError) -> String {
        let reference = try pushed(options)
        var images: [NamedImage] = []
        for (name, id) in try names(of: reference, options) {
            if let index = images.firstIndex(where: { $0.id == id }) {
                images[index].names.append(name.canonical)
            } else {
                images.append(NamedImage(id: id, names: [name.canonical]))
            }
        }
        var asked = options.registry
        asked.source = reference.canonical
        asked.allTags = options.allTags
        var request = try workerRequest(.push, asked)
        request.push = PushRequest(images: images)
        _ = try Worker.outcome(of: request) { observer(.pull($0)) }
        for name in images.flatMap(\.names) {
            guard let name = try? Reference(parsing: name) else { continue }
            noteImage("push", actor: name.familiar, name: name.familiarRepository)
        }
        return options.allTags ? reference.repository : reference.tagged.canonical
    }

    private func pushed(_ options: PushOptions) throws(EngineError) -> Reference {
        let reference: Reference
        do throws(ReferenceError) {
            reference = try Reference(parsing: rules(options.registry.registryRules).qualified(options.name))
        } catch {
            throw .invalid("\(error)")
        }
        if reference.digest != nil { throw .invalid("cannot push a digest reference") }
        if options.allTags, reference.tag != nil { throw .invalid("tag can't be used with --all-tags/-a") }
        return reference
    }

    private func names(
        of reference: Reference, _ options: PushOptions
    ) throws(EngineError) -> [(Reference, Digest)] {
        var result: [(Reference, Digest)] = []
        for entry in images.tagNames() {
            guard let name = try? Reference(parsing: entry.name), name.repository == reference.repository else {
                continue
            }
            if options.allTags || name == reference.tagged { result.append((name, entry.id)) }
        }
        guard let first = result.first else {
            throw .invalid(
                "An image does not exist locally with the tag: "
                    + (options.allTags ? reference.familiarRepository : reference.tagged.familiar))
        }
        if let platform = options.platform, let image = try find(first.1.description),
            platform.distance(to: image.config.platform) == nil
        {
            throw .invalid("\(first.0.familiar) is here for \(image.config.platform), not for \(platform)")
        }
        return result
    }
}
