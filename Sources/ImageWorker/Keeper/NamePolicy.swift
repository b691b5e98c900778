internal import OCI

/// Which names a pull may give to images, known from the request alone.
enum NamePolicy: Sendable, Hashable {
    /// The name that was asked for, with all its tags or not.
    case registry(Reference, allTags: Bool)
    /// A layout or an archive names its images itself; the user may have named one of them.
    case local(tag: String?)
    /// An archive that is loaded says all names; `moves` is true where the user lets it take them from any image.
    case loaded(moves: Bool)

    enum Verdict: Sendable, Hashable {
        /// The user gave the name: it moves from whatever image has it.
        case asked
        /// The name stays with an image that has it.
        case unasked
        /// The name stays with an image that was pulled by it.
        case said
        case forbidden
    }

    /// `manifest` is the digest that the image was had by: of the last of its documents.
    func judge(_ name: Reference, manifest: Digest?) -> Verdict {
        switch self {
        case .registry(let reference, let allTags):
            guard name.repository == reference.repository else { return .forbidden }
            if let digest = name.digest {
                let isNamed = reference.digest == nil || reference.digest == digest
                return name.tag == nil && digest == manifest && isNamed ? .asked : .forbidden
            }
            if allTags { return .asked }
            return reference.digest == nil && name.tagged == reference.tagged ? .asked : .forbidden
        case .local(let tag):
            guard name.digest == nil else { return .forbidden }
            guard let tag else { return .unasked }
            return name.tag == tag || (try? Reference(parsing: tag))?.tagged == name.tagged ? .asked : .unasked
        case .loaded(let moves):
            if name.digest != nil { return .forbidden }
            return moves ? .asked : .said
        }
    }
}
