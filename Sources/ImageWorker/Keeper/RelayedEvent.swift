internal import Images
internal import OCI

extension WorkerEvent {
    /// The event as it is passed on from a process that may have been taken over; nil for those that are ours to send, and
    /// for answers where no question was put.
    func relayed(answers: Bool) -> WorkerEvent? {
        func text(_ text: String, _ limit: Int = 4096) -> String { ForeignText(text, limit: limit).description }
        switch self {
        case .pulling(let tag, let repository): return .pulling(tag: text(tag), repository: text(repository))
        case .layer(let id, .retrying(let seconds, let reason)):
            return .layer(id: text(id, 64), state: .retrying(seconds: seconds, reason: text(reason)))
        case .layer(let id, .mounted(let source)):
            return .layer(id: text(id, 64), state: .mounted(from: text(source)))
        case .checked(let layer):
            let faults = layer.faults.prefix(100).map { text($0) }
            return .checked(CheckedLayer(chainID: layer.chainID, faults: faults, isRepaired: layer.isRepaired))
        case .refersTo(let repository): return .refersTo(repository: text(repository))
        case .pushed(let tag, let digest, let size): return .pushed(tag: text(tag), digest: digest, size: size)
        case .layer(let id, let state): return .layer(id: text(id, 64), state: state)
        case .digest: return self
        case .status(let words): return .status(text(words))
        case .warning(let words): return .warning(text(words))
        case .debug(let words): return .debug(text(words))
        case .answer(let answer): return answers ? answer.relayed.map { .answer($0) } : nil
        case .done, .failed, .transferred, .resolved, .credentials, .answered, .loaded, .kept: return nil
        }
    }
}

extension RegistryAnswer {
    fileprivate var relayed: RegistryAnswer? {
        switch self {
        case .tags(let tags): .tags(tags.filter { Reference.isTag($0) })
        case .document(let header):
            .document(
                .init(
                    role: header.role, mediaType: ForeignText(header.mediaType).description, platform: header.platform))
        case .checked(let check):
            .checked(
                .init(
                    url: ForeignText(check.url, limit: 4096).description,
                    answer: ForeignText(check.answer, limit: 4096).description, isGood: check.isGood))
        case .bytes: self
        case .found(let repositories): .found(repositories.map(\.relayed))
        }
    }
}

extension FoundRepository {
    fileprivate var relayed: FoundRepository {
        var result = self
        result.name = ForeignText(name, limit: 512).description
        result.description = ForeignText(description, limit: 2048).description
        return result
    }
}
