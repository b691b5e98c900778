internal import Images
internal import Layers
internal import OCI
internal import Synchronization
internal import Sys

/// Fetches, extracts and commits the layers that an image lacks: at most `maximumDownloads` blobs at once, two layers
/// extracted at once, committed bottom-up by the caller's thread.
///
/// Memory is bounded whatever the image: for each of the two extractions what `applyLayer` says, for each download the
/// registry client's buffer. Nothing else grows with a layer's size: blobs go through their file.
final class LayerPipeline: Sendable {
    static let extractors = 2

    private struct State: Sendable {
        var nextBlob = 0
        var nextJob = 0
        var extracted: [Int: ExtractedLayer] = [:]
        /// Diff directories of the layers that are whole, by their place in the image.
        var directories: [Int: SharedFile] = [:]
        var failure: WorkerError?
        var notes = LayerNotes()
    }

    private let store: StoreClient
    private let slots: [LayerSlot]
    private let jobs: [LayerJob]
    private let blobs: [(blob: Blob, progress: Progress)]
    private let downloads: Int
    private let interruption: Interruption
    private let format: OnDiskFormat
    private let owners: LayerOwners
    private let state = Monitor(State())

    /// What the layers had to be changed in, for the user.
    var notes: [String] { state.read(\.notes).texts(owners) }

    init(store: StoreClient, slots: [LayerSlot], request: WorkerRequest, interruption: Interruption) {
        self.store = store
        format = request.format
        owners = request.owners
        self.slots = slots
        self.interruption = interruption
        downloads = max(1, min(request.maximumDownloads, 16))
        jobs = slots.compactMap { slot in
            guard case .missing(let job) = slot else { return nil }
            return job
        }
        var blobs: [(blob: Blob, progress: Progress)] = []
        for job in jobs where !blobs.contains(where: { $0.blob === job.blob }) {
            blobs.append((job.blob, job.progress))
        }
        self.blobs = blobs
    }

    /// Until all layers of the image are committed.
    func run() throws(WorkerError) {
        let group = ThreadGroup()
        do throws(WorkerError) {
            try system("start", "threads") { () throws(Errno) in
                for _ in 0..<min(downloads, blobs.count) { try group.start { self.downloadBlobs() } }
                for _ in 0..<min(LayerPipeline.extractors, jobs.count) { try group.start { self.extractLayers() } }
            }
            try commitLayers()
            group.join()
        } catch {
            fail(error)
            group.join()
            discardStaging()
            throw error
        }
    }

    /// Gives the space back before anything else is tried: the disk may be full.
    private func discardStaging() {
        let staged = state.update { state -> [Int: ExtractedLayer] in
            defer { (state.extracted, state.directories) = ([:], [:]) }
            return state.extracted
        }
        _ = consume staged
    }

    private var mustStop: Bool { interruption.isRequested || state.read { $0.failure != nil } }

    /// The first failure counts; all who wait learn of it.
    private func fail(_ error: WorkerError) {
        state.update { $0.failure = $0.failure ?? error }
        for entry in blobs { entry.blob.fail(.interrupted) }
    }

    // MARK: Threads

    private func downloadBlobs() {
        while let index = state.update({ state -> Int? in
            guard state.failure == nil, state.nextBlob < blobs.count else { return nil }
            state.nextBlob += 1
            return state.nextBlob - 1
        }) {
            let (blob, progress) = blobs[index]
            fetch(blob, progress).run()
            if let failure = blob.state.read(\.failure) { return fail(failure) }
        }
    }

    private func extractLayers() {
        while let job = state.update({ state -> LayerJob? in
            guard state.failure == nil, state.nextJob < jobs.count else { return nil }
            state.nextJob += 1
            return jobs[state.nextJob - 1]
        }) {
            do throws(WorkerError) {
                let layer = try extract(job)
                let directory = try system("open", "staging") { () throws(Errno) in
                    SharedFile(try layer.tree.diff.duplicate())
                }
                state.update {
                    $0.extracted[job.index] = layer
                    $0.directories[job.index] = directory
                }
            } catch {
                return fail(error)
            }
        }
    }

    /// One layer from its blob to a verified tree in staging; from the beginning when the blob is begun anew.
    private func extract(_ job: LayerJob) throws(WorkerError) -> ExtractedLayer {
        while true {
            let (file, generation) = try job.blob.open()
            let tree = try store.stage()
            let copy = try BlobCopy(of: job.blob.layer, in: tree)
            let outcome = unpack(job, file, generation, into: tree, copy)
            try interruption.check()
            if let failure = state.read(\.failure) { throw failure }
            switch outcome {
            case .success(let result):
                let fault = job.blob.fault(digest: result.compressedDigest, size: result.compressedSize)
                if let fault {
                    try distrust(job, generation, fault)
                } else {
                    job.progress.fetched()
                    state.update { $0.notes.add(result) }
                    return ExtractedLayer(
                        tree: tree, size: Int64(clamping: result.size), blob: try blob(job, result, copy))
                }
            case .failure(let error):
                // Wrong bytes are told from a wrong layer when all of them are there.
                guard job.blob.isWorthWaiting else { throw .layer(shown: job.blob.layer.shown, error) }
                guard try job.blob.isComplete(generation) else { continue }
                if let fault = try damage(of: job, file, generation) {
                    try distrust(job, generation, fault)
                } else {
                    throw .layer(shown: job.blob.layer.shown, error)
                }
            }
        }
    }

    /// What the store keeps of the layer beside its files.
    private func blob(
        _ job: LayerJob, _ result: LayerResult, _ copy: BlobCopy
    ) throws(WorkerError) -> KeeperRequest.Blob {
        if let made = try copy.finish(result.compression) { return KeeperRequest.Blob(made, isFetched: false) }
        let descriptor = Descriptor(
            mediaType: result.compression.layerType, digest: result.compressedDigest, size: result.compressedSize)
        return KeeperRequest.Blob(descriptor, isFetched: true)
    }

    private func unpack(
        _ job: LayerJob, _ file: LocalBytes, _ generation: Int, into tree: StagedTree, _ copy: BlobCopy
    ) -> Result<LayerResult, LayerError> {
        let following = FollowingSource(
            job.blob, file: file, generation: generation, interruption: interruption,
            progress: { job.progress.extracting($0) })
        var source = KeepingSource(following, copy.writer)
        let below = LowerDirectories()
        var limits = ExtractionLimits()
        limits.owners = owners
        do throws(LayerError) {
            let result = try applyLayer(
                &source, expectedDiffID: job.diffID, digestAlgorithm: job.blob.layer.digest?.algorithm ?? .sha256,
                into: tree.diff.raw, format: format, limits: limits, compressedSize: job.blob.layer.size,
                lowers: { () throws(LayerError) in below.keep(try self.layersBelow(job.index)) })
            return .success(result)
        } catch {
            return .failure(error)
        }
    }

    /// What is wrong with the bytes themselves; nil when they are what the descriptor promises.
    private func damage(of job: LayerJob, _ file: LocalBytes, _ generation: Int) throws(WorkerError) -> String? {
        guard let expected = job.blob.layer.digest else { return nil }
        let actual = try lift({ .layer(shown: job.blob.layer.shown, $0) }) { () throws(LayerError) in
            try FollowingSource.digest(
                of: job.blob, file: file, generation: generation, expected.algorithm, interruption: interruption)
        }
        return job.blob.fault(digest: actual.digest, size: actual.size)
    }

    /// A blob is not what it should be. Where it is of several places or pulls nobody knows whose bytes are wrong: then all
    /// are fetched again from one place, and from each other one once.
    private func distrust(_ job: LayerJob, _ generation: Int, _ fault: String) throws(WorkerError) {
        // Another job that is made of the same blob may have been first.
        let isFirst = job.blob.state.update { state -> Bool in
            guard state.generation == generation else { return false }
            state.isResumed = false
            state.generation += 1
            state.available = 0
            state.isComplete = false
            return true
        }
        guard isFirst else { return }
        guard job.blob.layer.distrust() else { throw .blob(shown: job.blob.layer.shown, reason: fault) }
        try fetch(job.blob, job.progress).again()
    }

    private func fetch(_ blob: Blob, _ progress: Progress) -> BlobFetch {
        BlobFetch(
            blob: blob, directory: store.blobs, slots: store.slots, interruption: interruption, progress: progress)
    }

    // MARK: Layers below

    /// The diff directories of the layers under `index`, top first, once all of them are whole.
    private func layersBelow(_ index: Int) throws(LayerError) -> [SharedFile] {
        var result: [SharedFile] = []
        for place in (0..<index).reversed() {
            switch slots[place] {
            case .present(let path):
                do throws(Errno) {
                    result.append(SharedFile(try Directory.open(path)))
                } catch {
                    throw .system(operation: "open", entry: path, error)
                }
            case .missing:
                let directory = state.wait { state -> SharedFile?? in
                    if state.failure != nil { return .some(nil) }
                    return state.directories[place].map { .some($0) }
                }
                guard let directory else { throw .source("a layer below failed") }
                result.append(directory)
            }
        }
        return result
    }

    // MARK: Commit

    private func commitLayers() throws(WorkerError) {
        for slot in slots {
            guard case .missing(let job) = slot else { continue }
            let layer = try takeExtracted(job.index)
            try interruption.check()
            try store.commit(layer.tree, place: job.index, size: layer.size, blob: layer.blob)
            dropBlob(of: job)
            job.progress.send(.complete)
        }
    }

    private func takeExtracted(_ index: Int) throws(WorkerError) -> ExtractedLayer {
        let result = state.wait { state -> Result<ExtractedLayer, WorkerError>? in
            if let failure = state.failure { return .failure(failure) }
            return state.extracted.removeValue(forKey: index).map { .success($0) }
        }
        return try result.get()
    }

    /// The layer is durable, so its blob's file has served, unless a layer further up is made of the same blob.
    private func dropBlob(of job: LayerJob) {
        if jobs.contains(where: { $0.index > job.index && $0.blob === job.blob }) { return }
        dropFile(of: job.blob)
    }

    /// Removes the files of all blobs: of an image that is refused nothing is kept.
    func dropBlobs() {
        for entry in blobs { dropFile(of: entry.blob) }
    }

    private func dropFile(of blob: Blob) { BlobFetch.drop(blob.layer, in: store.blobs) }
}

/// The descriptors lent to one extraction, open as long as it runs.
private final class LowerDirectories: Sendable {
    private let directories = Mutex<[SharedFile]>([])

    func keep(_ new: [SharedFile]) -> [Int32] {
        directories.withLock { $0 = new }
        return new.map { $0.descriptor.raw }
    }
}

/// An open file or directory that several threads look into.
final class SharedFile: Sendable {
    let descriptor: OwnedFD

    init(_ descriptor: consuming OwnedFD) { self.descriptor = descriptor }
}
