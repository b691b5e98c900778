package import OCI

/// What a manifest is asked for by.
package enum ManifestName: Hashable, Sendable, CustomStringConvertible {
    case tag(String)
    case digest(Digest)

    package var description: String {
        switch self {
        case .tag(let tag): tag
        case .digest(let digest): "\(digest)"
        }
    }
}

/// A manifest or index as it was received.
package struct FetchedDocument: Sendable, Hashable {
    package let bytes: [UInt8]
    package let contentType: String?
    /// Of `bytes`, verified.
    package let digest: Digest
    /// `host[:port]`.
    package let endpoint: String
}

extension RegistryClient {
    /// Fetches a manifest or index, at most `DocumentLimits.manifestBytes` of it. Bytes that do not have the digest they
    /// were asked by, or that the registry says they have, are refused.
    package func manifest(_ name: ManifestName) throws(RegistryError) -> FetchedDocument {
        var digest: Digest?
        if case .digest(let wanted) = name { digest = wanted }
        let ask = EndpointSession.Ask(path: "manifests/\(name)", accept: DocumentKind.accepted)
        return try attempt("manifest for \(subject(name))", digest: digest, byTag: digest == nil) {
            turn throws(Fault) in
            let sink = MemorySink(limit: DocumentLimits.manifestBytes, what: "the manifest")
            let head = try turn.send(ask, into: sink)
            return FetchedDocument(
                bytes: sink.bytes, contentType: head.value("content-type"),
                digest: try RegistryClient.verify(
                    sink.bytes, wanted: digest, header: head.value("docker-content-digest")),
                endpoint: turn.endpoint.name)
        }
    }

    private func subject(_ name: ManifestName) -> String {
        switch name {
        case .tag(let tag): "\(reference.familiarRepository):\(tag)"
        case .digest(let digest): "\(reference.familiarRepository)@\(digest)"
        }
    }

    static func verify(_ bytes: [UInt8], wanted: Digest?, header: String?) throws(Fault) -> Digest {
        var said: Digest?
        if let header {
            do throws(Digest.ParseError) {
                said = try Digest(parsing: header)
            } catch {
                throw .refused("Docker-Content-Digest: \(error)")
            }
        }
        for expected in [said, wanted].compactMap(\.self) {
            let actual = Digest.of(bytes, expected.algorithm)
            guard actual == expected else { throw .refused("the manifest's digest is \(actual), not \(expected)") }
        }
        return wanted ?? said ?? Digest.of(bytes)
    }

    /// Fetches a small blob whole, such as an image's config: size and digest are those of the descriptor.
    package func blob(
        _ descriptor: Descriptor, limit: Int = DocumentLimits.configBytes
    ) throws(RegistryError) -> [UInt8] {
        let what = "blob \(descriptor.digest) of \(reference.familiarRepository)"
        guard descriptor.size >= 0, descriptor.size <= limit else {
            throw .refused(what: "\(what) of \(descriptor.size) bytes, with a limit of \(limit),", tried: [])
        }
        var shortage = Shortage()
        return try attempt(what, digest: descriptor.digest) { turn throws(Fault) in
            let sink = MemorySink(limit: Int(descriptor.size), what: "the blob")
            let head = try turn.send(EndpointSession.Ask(path: "blobs/\(descriptor.digest)"), into: sink)
            guard sink.bytes.count == Int(descriptor.size) else {
                throw shortage.judge(Int64(sink.bytes.count), of: descriptor.size, head, turn.endpoint.name)
            }
            let actual = Digest.of(sink.bytes, descriptor.digest.algorithm)
            guard actual == descriptor.digest else {
                throw .refused("the blob's digest is \(actual), not \(descriptor.digest)")
            }
            return sink.bytes
        }
    }

    /// All tags, in the registry's order.
    package func tags() throws(RegistryError) -> [String] {
        try attempt("repository \(reference.familiarRepository)", byTag: true) { turn throws(Fault) in
            var result: [String] = []
            var last: String?
            // A registry that repeats itself ends the list, one that never ends is cut off.
            for _ in 0..<TagPage.limit {
                let page = try self.page(turn, after: last)
                result += page.tags
                guard result.count <= DocumentLimits.tags else {
                    throw .refused("the list of tags has more than \(DocumentLimits.tags), the limit")
                }
                guard page.hasNext, let final = page.tags.last, final != last else { return result }
                last = final
            }
            throw .refused("more than \(TagPage.limit) pages of tags")
        }
    }

    private struct TagPage {
        static let limit = 1000
        var tags: [String]
        var hasNext: Bool
    }

    /// OCI distribution spec, "Listing Tags": the next page starts behind the last tag of this one, which is all that a
    /// Link header may say.
    private func page(_ turn: EndpointTurn, after last: String?) throws(Fault) -> TagPage {
        struct List: Decodable { let tags: [String]? }
        var ask = EndpointSession.Ask(path: "tags/list", query: [("n", "1000")])
        if let last { ask.query.append(("last", last)) }
        let sink = MemorySink(limit: DocumentLimits.manifestBytes, what: "the list of tags")
        let head = try turn.send(ask, into: sink)
        do throws(JSONFault) {
            let tags =
                try BoundedJSON.decode(List.self, from: sink.bytes, limit: DocumentLimits.manifestBytes).tags ?? []
            if let wrong = tags.first(where: { !Reference.isTag($0) }) {
                throw JSONFault.value(path: "tags", reason: "\"\(ForeignText(wrong))\" is no tag")
            }
            return TagPage(tags: tags, hasNext: head.values("link").contains { $0.contains("rel=\"next\"") })
        } catch {
            throw .refused("the list of tags: \(error)")
        }
    }
}
