package import OCI

extension RegistryClient {
    /// Fetches a blob into `file`, a descriptor open for writing, from the `offset` bytes on that it already holds; ends
    /// when it holds `descriptor.size` bytes. Nothing is hashed here: the digest is the caller's to check.
    ///
    /// A broken connection goes on by Range, at this endpoint or the next. Where that cannot be, the file is emptied and
    /// `progress`, which gets the count of bytes that the file holds, starts again from 0. Bytes beyond the
    /// descriptor's size are refused. `progress` is called on the calling thread.
    package func download(
        _ descriptor: Descriptor, to file: Int32, from offset: Int64, progress: @escaping (Int64) -> Void
    ) throws(RegistryError) {
        let what = "blob \(descriptor.digest) of \(reference.familiarRepository)"
        guard descriptor.size >= 0, offset >= 0 else {
            throw .refused(what: "\(what) of \(descriptor.size) bytes from byte \(offset)", tried: [])
        }
        let sink = FileSink(file: file, size: descriptor.size, offset: offset, progress: progress)
        let record = download(of: descriptor.digest)
        try attempt(what, digest: descriptor.digest, without: record.liars, furthest: { sink.furthest }) {
            turn throws(Fault) in
            if record.isDoubted, !sink.givers.isSubset(of: [turn.index]) { try sink.restart() }
            sink.giver = turn.index
            try RegistryClient.download(descriptor.digest, from: turn, into: sink)
        }
        note(sink.givers, of: descriptor.digest)
    }

    private static func download(
        _ digest: Digest, from turn: EndpointTurn, into sink: FileSink
    ) throws(Fault) {
        // More than the blob has, left over from something else.
        if sink.offset > sink.size { try sink.restart() }
        if sink.isComplete { return }
        do throws(Fault) {
            let head = try response(digest, from: turn, into: sink)
            try sink.flush()
            if !sink.isComplete { throw sink.shortage(head, endpoint: turn.endpoint.name) }
        } catch {
            if sink.isSpoiled { try sink.restart() } else { try sink.flush() }
            throw error
        }
    }

    private static func response(
        _ digest: Digest, from turn: EndpointTurn, into sink: FileSink
    ) throws(Fault) -> ResponseHead {
        var ask = EndpointSession.Ask(path: "blobs/\(digest)", offset: sink.resumeOffset)
        do throws(Fault) {
            return try turn.send(ask, into: sink)
        } catch .status(416, _, _) where ask.offset != nil {
            ask.offset = nil
            try sink.restart()
            return try turn.send(ask, into: sink)
        }
    }
}
