internal import CLinux
internal import Images
internal import OCI
internal import Sys

/// Files of a layout, wherever it lies.
protocol LayoutFiles: Sendable {
    /// What messages call it.
    var name: String { get }
    /// The bytes of the file `path`, `index.json` or a blob's; nil when it is not there.
    func open(_ path: String) throws(WorkerError) -> LocalBytes?
}

extension LayoutFiles {
    func read(_ path: String, limit: Int) throws(WorkerError) -> [UInt8] {
        guard let bytes = try open(path) else { throw .source(name, reason: "it has no \(path)") }
        return try bytes.readAll(limit: limit)
    }
}

extension LocalBytes {
    func readAll(limit: Int) throws(WorkerError) -> [UInt8] {
        guard length <= Int64(limit) else { throw .source(name, reason: "it has more than \(limit) bytes") }
        let result = try system("read", name) { () throws(Errno) in
            try File.bytes(file.raw, at: offset, count: Int(length))
        }
        guard Int64(result.count) == length else { throw .source(name, reason: "it ends early") }
        return result
    }
}

/// An OCI image layout (image-layout.md) as a source.
struct LayoutSource: ImageSource {
    static let referenceName = "org.opencontainers.image.ref.name"
    /// A full name, as docker and containerd write it beside the other.
    static let imageName = "io.containerd.image.name"

    let files: any LayoutFiles
    /// The wanted entry's name; nil takes the only one there is.
    let tag: String?
    /// `oci:DIR:TAG`, as typed.
    let typed: String
    /// Every image, under all of its names.
    var takesAll = false

    func targets() throws(WorkerError) -> [PullTarget] {
        if takesAll { return try allTargets() }
        let entries = try entries()
        let entry = entries.first
        let name = entry.flatMap(LayoutSource.name)
        return [
            PullTarget(
                key: "", tag: tag ?? entry?.annotations?[LayoutSource.referenceName] ?? Reference.defaultTag,
                repository: files.name, shown: name?.familiar ?? typed, names: name.map { [$0] } ?? [])
        ]
    }

    func manifest(_ target: PullTarget, platform: Platform) throws(WorkerError) -> SourceManifest {
        var entry = try choose(takesAll ? groups()[target.key] ?? [] : entries(), platform)
        var documents: [(digest: Digest, bytes: [UInt8])] = []
        let named = entry.digest
        var chosen = entry.platform
        for _ in 0..<DocumentLimits.indexDepth {
            let bytes = try read(entry, limit: DocumentLimits.manifestBytes)
            documents.insert((entry.digest, bytes), at: 0)
            let kind = try lift(WorkerError.manifest) { () throws(ManifestError) in
                try DocumentKind.classify(bytes, contentType: nil, descriptor: entry)
            }
            if kind == .manifest { return try manifest(bytes, entry, documents, named: named, platform: chosen) }
            let descriptor = entry
            entry = try lift(WorkerError.manifest) { () throws(ManifestError) in
                try Index.decode(bytes, descriptor: descriptor).choose(for: platform)
            }
            chosen = entry.platform
        }
        throw .source(files.name, reason: "its indexes are nested deeper than \(DocumentLimits.indexDepth)")
    }

    func config(_ manifest: SourceManifest) throws(WorkerError) -> [UInt8] {
        guard let descriptor = manifest.config else { throw .source(files.name, reason: "it names no config") }
        return try read(descriptor, limit: DocumentLimits.configBytes)
    }

    private func manifest(
        _ bytes: [UInt8], _ entry: Descriptor, _ documents: [(digest: Digest, bytes: [UInt8])], named: Digest,
        platform: Platform?
    ) throws(WorkerError) -> SourceManifest {
        let manifest = try lift(WorkerError.manifest) { () throws(ManifestError) in
            try Manifest.decode(bytes, descriptor: entry)
        }
        var layers: [SourceLayer] = []
        for layer in manifest.layers {
            let blob = try open(layer)
            layers.append(
                SourceLayer(
                    digest: layer.digest, size: layer.size, shown: layer.digest.short, mediaType: layer.mediaType,
                    content: .local(blob)))
        }
        return SourceManifest(
            config: manifest.config, layers: layers, digest: named, documents: documents, platform: platform)
    }

    // MARK: Entries

    private func allTargets() throws(WorkerError) -> [PullTarget] {
        var targets: [PullTarget] = []
        let groups = try groups()
        for key in groups.keys.sorted() {
            var names: [Reference] = []
            for name in (groups[key] ?? []).compactMap(LayoutSource.name) where !names.contains(name) {
                names.append(name)
            }
            targets.append(
                PullTarget(
                    key: key, tag: names.first?.tag ?? Reference.defaultTag, repository: files.name,
                    shown: names.first?.familiar ?? typed, names: names))
        }
        if targets.isEmpty { throw .source(files.name, reason: "its index.json names no image") }
        return targets
    }

    /// The entries of one image each: those of equal digests, and those of one name, which are for several platforms.
    private func groups() throws(WorkerError) -> [String: [Descriptor]] {
        var groups: [String: [Descriptor]] = [:]
        var known: [String: Int] = [:]
        for entry in try entries() {
            let name = LayoutSource.name(entry)?.canonical ?? ""
            let digest = entry.digest.description
            let number = known[digest] ?? (name.isEmpty ? nil : known[name]) ?? groups.count
            known[digest] = number
            if !name.isEmpty { known[name] = number }
            // Sorts as the numbers do: an index has at most 1000 entries.
            groups[String("000\(number)".suffix(4)), default: []].append(entry)
        }
        return groups
    }

    private func entries() throws(WorkerError) -> [Descriptor] {
        let version = String(decoding: try files.read("oci-layout", limit: 4096), as: UTF8.self)
        guard version.contains("imageLayoutVersion") else {
            throw .source(files.name, reason: "its oci-layout names no imageLayoutVersion")
        }
        let bytes = try files.read("index.json", limit: DocumentLimits.manifestBytes)
        let index = try lift(WorkerError.manifest) { () throws(ManifestError) in try Index.decode(bytes) }
        guard let tag else { return index.manifests }
        let named = index.manifests.filter { LayoutSource.isNamed($0, tag) }
        guard named.isEmpty else { return named }
        let names = index.manifests.compactMap { $0.annotations?[LayoutSource.referenceName] }
        let list = names.isEmpty ? "none of its images has a name" : "it has \(names.joined(separator: ", "))"
        throw .source(files.name, reason: "no image is named \(tag); \(ForeignText(list))")
    }

    private static func isNamed(_ entry: Descriptor, _ tag: String) -> Bool {
        if entry.annotations?[referenceName] == tag { return true }
        guard let wanted = try? Reference(parsing: tag), let name = name(entry) else { return false }
        return wanted.tagged == name
    }

    private func choose(_ entries: [Descriptor], _ platform: Platform) throws(WorkerError) -> Descriptor {
        guard let first = entries.first else { throw .source(files.name, reason: "its index.json names no image") }
        if entries.allSatisfy({ $0.digest == first.digest }) { return first }
        // Several are one image for several platforms, or several images: then one must be named.
        let names = Set(entries.map { $0.annotations?[LayoutSource.referenceName] })
        guard takesAll || names.count == 1 else {
            let list = names.map { $0 ?? "(unnamed)" }.sorted().joined(separator: ", ")
            throw .source(
                files.name, reason: "it holds several images, name one of them behind the path: \(ForeignText(list))")
        }
        return try lift(WorkerError.manifest) { () throws(ManifestError) in
            try Index(mediaType: MediaType.ociIndex, manifests: entries).choose(for: platform)
        }
    }

    /// The image's full name. A word alone in `ref.name` is a tag of who knows what, and names nothing.
    private static func name(_ entry: Descriptor) -> Reference? {
        for key in [imageName, referenceName] {
            guard let text = entry.annotations?[key], text.contains(":") || text.contains("/"),
                let name = try? Reference(parsing: text), name.digest == nil
            else { continue }
            return name.tagged
        }
        return nil
    }

    // MARK: Blobs

    private func open(_ descriptor: Descriptor) throws(WorkerError) -> LocalBytes {
        // A digest is hexadecimal of a fixed length: it leads nowhere but here.
        let path = "blobs/\(descriptor.digest.algorithm.rawValue)/\(descriptor.digest.hex)"
        guard let bytes = try files.open(path) else {
            throw .source(files.name, reason: "it lacks the blob \(descriptor.digest)")
        }
        return bytes
    }

    private func read(_ descriptor: Descriptor, limit: Int) throws(WorkerError) -> [UInt8] {
        try open(descriptor).readAll(limit: limit)
    }
}

/// A layout in a directory. Links are never followed, so a hostile layout shows nothing but itself.
final class DirectoryLayout: LayoutFiles {
    let name: String
    private let directory: OwnedFD

    init(_ path: String) throws(WorkerError) {
        name = path
        directory = try system("open", path) { () throws(Errno) in try Directory.open(path) }
    }

    func open(_ path: String) throws(WorkerError) -> LocalBytes? {
        do throws(Errno) {
            let file = try File.open(
                path, O_RDONLY | O_NOCTTY | O_NONBLOCK, at: directory.raw, resolve: [.beneath, .noSymlinks])
            let status = try File.status(file.raw)
            guard status.isRegular else { throw Errno.invalid }
            return LocalBytes(file, offset: 0, length: status.size, name: "\(name)/\(path)")
        } catch .noEntry {
            return nil
        } catch {
            throw .source(name, reason: "\(path) cannot be read: \(error)")
        }
    }
}
