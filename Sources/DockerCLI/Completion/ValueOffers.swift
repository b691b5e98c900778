internal import Engine
internal import OCI
internal import Sys

/// What there is to offer for a kind of value, by now. Whatever can't be read is not there.
struct ValueOffers {
    /// Made when a name is wanted.
    let names: () -> (any NameVerbs)?

    /// For a value of `kind` of which `typed` is there.
    func offer(_ kind: ValueKind, typed: String) -> Offer {
        switch kind {
        case .text: Offer()
        case .words(let words): Offer(candidates: words.map { Offer.Candidate(text: $0.text, note: $0.note) })
        case .container(let scope): containers(scope, typed)
        case .image: images(typed)
        case .volume: Offer(candidates: (names()?.volumeNames() ?? []).map { Offer.Candidate(text: $0) })
        case .network: Offer(candidates: (names()?.networkNames() ?? []).map { Offer.Candidate(text: $0) })
        case .containerPath: containerPath(typed)
        case .file: Offer(paths: .files)
        case .directory: Offer(paths: .directories)
        case .signal: signals(typed)
        case .prefixed(let prefix, let value):
            typed.hasPrefix(prefix)
                ? offer(value, typed: String(typed.dropFirst(prefix.count))).behind(prefix)
                : Offer(candidates: [Offer.Candidate(text: prefix)])
        case .followed(let value, by: let mark): followed(offer(value, typed: typed), mark, typed)
        case .either(let kinds): kinds.reduce(Offer()) { $0 + offer($1, typed: typed) }
        }
    }

    private func followed(_ offer: Offer, _ mark: String, _ typed: String) -> Offer {
        if typed.contains(mark) { return Offer() }
        var result = offer
        result.candidates = offer.candidates.map { Offer.Candidate(text: $0.text + mark, note: $0.note) }
        return result
    }

    /// Names, and IDs only for somebody who is typing one.
    private func containers(_ scope: ValueKind.ContainerScope, _ typed: String) -> Offer {
        let all = names()?.containerNames(withPauses: scope == .paused) ?? []
        let fitting = all.filter { container in
            switch scope {
            case .any: true
            case .running: container.isRunning
            case .stopped: !container.isRunning
            case .paused: container.isPaused
            }
        }
        let named = fitting.map { container in
            let image = container.imageName
            return Offer.Candidate(
                text: container.name, note: image.hasPrefix("sha256:") ? String(image.prefix(19)) : image)
        }
        if typed.isEmpty || named.contains(where: { $0.text.hasPrefix(typed) }) { return Offer(candidates: named) }
        return Offer(
            candidates: fitting.map { container in
                Offer.Candidate(text: String(container.id.prefix(12)), note: container.name)
            })
    }

    private func images(_ typed: String) -> Offer {
        let all = names()?.imageNames() ?? []
        let named = all.map { Offer.Candidate(text: $0.name) }
        if typed.isEmpty || named.contains(where: { $0.text.hasPrefix(typed) }) { return Offer(candidates: named) }
        return Offer(candidates: all.map { Offer.Candidate(text: $0.id.short, note: $0.name) })
    }

    /// `NAME:PATH`, or a path of the host: `cp` takes it for one where it begins like one.
    private func containerPath(_ typed: String) -> Offer {
        let (name, path) = typed.cut(":")
        guard let path, !name.isEmpty, !name.hasPrefix("/"), !name.hasPrefix(".") else {
            return followed(containers(.any, typed), ":", typed) + Offer(paths: .files)
        }
        let end = path.lastIndex(of: "/").map { path.index(after: $0) } ?? path.startIndex
        let directory = String(path[..<end])
        let entries = names()?.entries(of: directory.isEmpty ? "/" : directory, inContainer: name) ?? []
        return Offer(
            candidates: entries.map { entry in
                Offer.Candidate(text: "\(name):\(directory)\(entry.name)\(entry.isDirectory ? "/" : "")")
            })
    }

    private func signals(_ typed: String) -> Offer {
        let prefix = typed.hasPrefix("SIG") ? "SIG" : ""
        return Offer(
            candidates: SignalNumber.all.map { Offer.Candidate(text: prefix + $0.name, note: "\($0.number)") })
    }
}
