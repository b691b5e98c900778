package import OCI

/// How a blob came to be at the registry.
package enum BlobPlacement: Sendable, Hashable {
    case wasThere
    /// Taken over from another of its repositories.
    case mounted(from: String)
    case uploaded
}

/// Where the bytes of a blob are that is pushed.
package enum BlobBytes: Sendable {
    /// An open file, borrowed.
    case file(Int32)
    case memory([UInt8])
}

extension RegistryClient {
    /// Gives the registry a blob that it lacks: asked for by HEAD, taken over from one of `sources`, its other repositories,
    /// or sent. An upload that breaks off goes on where the registry says it is. `progress` gets the
    /// bytes that were sent so far.
    package func push(
        _ blob: Descriptor, _ bytes: BlobBytes, sources: [String], progress: @escaping @Sendable (Int64) -> Void
    ) throws(RegistryError) -> BlobPlacement {
        let upload = BlobUpload(blob, bytes, sources: sources, progress: progress)
        return try attempt(
            "blob \(blob.digest) to \(reference.familiarRepository)", digest: blob.digest,
            furthest: { upload.furthest }
        ) { turn throws(Fault) in try upload.run(turn) }
    }

    /// Gives the registry a manifest, byte for byte, under a tag or its digest.
    package func push(_ manifest: [UInt8], _ descriptor: Descriptor, as tag: String) throws(RegistryError) {
        try attempt("manifest of \(reference.familiarRepository):\(tag)", digest: descriptor.digest) {
            turn throws(Fault) in
            var ask = EndpointSession.Ask(path: "manifests/\(tag)", method: .put, body: .bytes(manifest))
            ask.headers = [("Content-Type", descriptor.mediaType)]
            let head = try turn.send(ask, into: MemorySink(limit: Transfer.errorBodyLimit, what: "the answer"))
            try BlobUpload.check(head, descriptor.digest)
        }
    }
}

/// One blob on its way out, over all tries (OCI distribution spec, "Pushing blobs").
private final class BlobUpload {
    private let blob: Descriptor
    private let bytes: BlobBytes
    private let sources: [String]
    private let progress: @Sendable (Int64) -> Void
    /// Where the next bytes go; nil where none is begun.
    private var place: WebURL?
    /// How many bytes the registry has.
    private var offset: Int64 = 0
    private(set) var furthest: Int64 = 0
    private var hasAsked = false
    private var wasBroken = false
    /// All that is left goes at once, unless something in between bounds a request.
    private var piece = Int64.max

    /// For a proxy that takes no request as large as a layer; many bound them at 1 MiB and more.
    private static let boundedPieces: [Int64] = [16 << 20, 512 << 10]
    /// A registry verifies and moves the whole blob before it answers the last request.
    private static let patience = 900

    init(
        _ blob: Descriptor, _ bytes: BlobBytes, sources: [String], progress: @escaping @Sendable (Int64) -> Void
    ) {
        self.blob = blob
        self.bytes = bytes
        self.sources = sources
        self.progress = progress
    }

    func run(_ turn: EndpointTurn) throws(Fault) -> BlobPlacement {
        if place == nil {
            if !hasAsked, try isThere(turn) { return .wasThere }
            hasAsked = true
            if let source = try begin(turn) { return .mounted(from: source) }
        } else if wasBroken {
            try resume(turn)
        }
        wasBroken = true
        do throws(Fault) {
            while offset < blob.size { try sendPiece(turn) }
            try finish(turn)
        } catch .notFound(let text) {
            // The registry has forgotten the upload, as it does after a restart or a day.
            restart()
            throw .broken(text.isEmpty ? "the registry does not know the upload any more" : text)
        } catch .status(413, let text, let after) {
            guard let smaller = BlobUpload.boundedPieces.first(where: { $0 < piece && $0 < blob.size }) else {
                throw .status(413, text, after: after)
            }
            piece = smaller
            restart()
            return try run(turn)
        }
        return .uploaded
    }

    private func restart() {
        place = nil
        offset = 0
        wasBroken = false
    }

    // MARK: Steps

    private var sink: MemorySink { MemorySink(limit: Transfer.errorBodyLimit, what: "the answer") }

    private func isThere(_ turn: EndpointTurn) throws(Fault) -> Bool {
        let ask = EndpointSession.Ask(path: "blobs/\(blob.digest)", method: .head)
        do throws(Fault) {
            let head = try turn.send(ask, into: NoBody())
            return head.contentLength == nil || head.contentLength == blob.size
        } catch .notFound {
            return false
        }
    }

    /// Begins an upload, and tells from where the registry took the blob over instead, if it did.
    private func begin(_ turn: EndpointTurn) throws(Fault) -> String? {
        for source in sources {
            var ask = EndpointSession.Ask(path: "blobs/uploads/", method: .post)
            ask.query = [("mount", "\(blob.digest)"), ("from", source)]
            let head: ResponseHead
            do throws(Fault) {
                head = try turn.send(ask, into: sink)
            } catch .unauthorized {
                // Not ours to read: it can still be sent.
                continue
            }
            if head.status == 201 { return source }
            place = try turn.session.location(head, after: ask)
            return nil
        }
        let ask = EndpointSession.Ask(path: "blobs/uploads/", method: .post)
        let head = try turn.send(ask, into: sink)
        place = try turn.session.location(head, after: ask)
        return nil
    }

    /// Asks how far the upload is.
    private func resume(_ turn: EndpointTurn) throws(Fault) {
        guard let place else { return }
        var ask = EndpointSession.Ask(path: "")
        ask.target = place
        do throws(Fault) {
            let head = try turn.send(ask, into: sink)
            offset = BlobUpload.received(head, of: blob.size) ?? 0
            self.place = try head.value("location") == nil ? place : turn.session.location(head, after: ask)
        } catch .notFound {
            offset = 0
        }
        // What it says of one byte it says of none.
        if offset == 0 { _ = try begin(turn) }
        progress(offset)
    }

    private func sendPiece(_ turn: EndpointTurn) throws(Fault) {
        let (start, count) = (offset, min(piece, blob.size - offset))
        let progress = progress
        var ask = EndpointSession.Ask(path: "", method: .patch)
        ask.target = place
        switch bytes {
        case .file(let file): ask.body = .file(file, offset: start, length: count) { progress(start + $0) }
        case .memory(let all): ask.body = .bytes(Array(all[Int(start)..<Int(start + count)]))
        }
        // Registries that take no pieces take one that is the whole, if it does not call itself a piece.
        if start > 0 || count < blob.size { ask.headers = [("Content-Range", "\(start)-\(start + count - 1)")] }
        ask.headers.append(("Content-Type", "application/octet-stream"))
        let head: ResponseHead
        do throws(Fault) {
            head = try turn.send(ask, into: sink)
        } catch .status(416, let text, _) {
            throw .broken(text.isEmpty ? "the registry has other bytes than were sent" : text)
        }
        place = try turn.session.location(head, after: ask)
        offset = BlobUpload.received(head, of: blob.size) ?? start + count
        guard offset > start else { throw .refused("the registry keeps none of the bytes that it takes") }
        furthest = max(furthest, offset)
    }

    private func finish(_ turn: EndpointTurn) throws(Fault) {
        guard let place else { return }
        var ask = EndpointSession.Ask(path: "", method: .put)
        ask.patience = BlobUpload.patience
        do throws(WebURL.Fault) {
            ask.target = try place.appending([("digest", "\(blob.digest)")])
        } catch {
            throw .refused("the place that \(turn.endpoint.name) names takes no digest: \(error.reason)")
        }
        try BlobUpload.check(try turn.send(ask, into: sink), blob.digest)
    }

    /// `Range: 0-N`, where there is one: N + 1 bytes.
    private static func received(_ head: ResponseHead, of size: Int64) -> Int64? {
        guard let range = head.value("range") else { return nil }
        let text = range.hasPrefix("bytes=") ? range.dropFirst(6) : range[...]
        guard let last = text.split(separator: "-").last.flatMap({ Int64($0) }), (0..<size).contains(last) else {
            return nil
        }
        return last == 0 ? 0 : last + 1
    }

    /// What the registry says it has, where it says so.
    static func check(_ head: ResponseHead, _ digest: Digest) throws(Fault) {
        guard let said = head.value("docker-content-digest").flatMap({ try? Digest(parsing: $0) }),
            said.algorithm == digest.algorithm
        else { return }
        guard said == digest else { throw .refused("the registry has \(said), not \(digest)") }
    }
}
