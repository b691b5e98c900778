import OCI
import Registry
import Synchronization
import Sys
import TestSupport

/// A faulty registry, a client for `test/image` at it with pauses of milliseconds, and what the client reported.
final class Fixture: Sendable {
    let server: FaultyRegistry
    let client: RegistryClient
    let log: Log
    let scratch: Scratch

    /// What an observer heard.
    final class Log: Sendable {
        private let state = Mutex<(retries: [RetryNotice], lines: [String])>(([], []))
        private let interrupted = Atomic<Bool>(false)

        func interrupt() { interrupted.store(true, ordering: .relaxed) }

        var retries: [RetryNotice] { state.withLock(\.retries) }
        var lines: [String] { state.withLock(\.lines) }

        var observer: RegistryObserver {
            var observer = RegistryObserver()
            observer.retrying = { notice in self.state.withLock { $0.retries.append(notice) } }
            observer.debug = { line in self.state.withLock { $0.lines.append(line) } }
            observer.warning = { line in self.state.withLock { $0.lines.append(line) } }
            observer.isInterrupted = { self.interrupted.load(ordering: .relaxed) }
            return observer
        }
    }

    static let fastRetries: RetryPolicy = {
        var policy = RetryPolicy()
        policy.basePause = 0.01
        policy.longestPause = 1.5
        return policy
    }()

    init(
        domain: String? = nil, credentials: CredentialStore = CredentialStore(),
        configure: (inout RegistryConfiguration) -> Void = { _ in }, _ handler: @escaping FaultyRegistry.Handler
    ) throws {
        server = try FaultyRegistry(handler)
        scratch = try Scratch()
        log = Log()
        var configuration = RegistryConfiguration()
        configuration.retry = Fixture.fastRetries
        configuration.credentials = credentials
        configure(&configuration)
        client = try RegistryClient(
            reference: Reference(parsing: "\(domain ?? server.host)/test/image:latest"), configuration: configuration,
            observer: log.observer)
    }

    /// Runs a download into a file that holds `start`, and gives what the file holds at the end.
    func download(
        _ descriptor: Descriptor, start: [UInt8] = [], progress: @escaping (Int64) -> Void = { _ in }
    ) throws -> [UInt8] {
        let path = try scratch.file("blob", start)
        try client.download(descriptor, toFile: path, from: start.count, progress: progress)
        return try File.readAll(path)
    }

    /// The same, and the error that it ends with.
    func downloadError(
        _ descriptor: Descriptor, start: [UInt8] = [], progress: @escaping (Int64) -> Void = { _ in }
    ) throws -> (error: String, file: [UInt8]) {
        let path = try scratch.file("blob", start)
        let error = message { () throws(RegistryError) in
            try client.download(descriptor, toFile: path, from: start.count, progress: progress)
        }
        return (error, try File.readAll(path))
    }
}

extension RegistryClient {
    func download(
        _ descriptor: Descriptor, toFile path: String, from start: Int = 0,
        progress: @escaping (Int64) -> Void = { _ in }
    ) throws(RegistryError) {
        let file: OwnedFD
        do throws(Errno) {
            file = try File.open(path, 2)
        } catch {
            throw .file(SystemFailure("open", path, error))
        }
        try download(descriptor, to: file.raw, from: Int64(start), progress: progress)
    }
}

/// A blob without repetitions that are shorter than itself.
struct Blob: Sendable {
    let bytes: [UInt8]
    let descriptor: Descriptor

    init(_ count: Int) {
        var state: UInt64 = 0x9e37_79b9_7f4a_7c15
        bytes = (0..<count).map { _ in
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return UInt8(truncatingIfNeeded: state >> 33)
        }
        descriptor = Descriptor(mediaType: MediaType.ociLayer, digest: Digest.of(bytes), size: Int64(count))
    }

    var path: String { "/v2/test/image/blobs/\(descriptor.digest)" }
}

/// A manifest that nothing is wrong with.
enum GoodManifest {
    static let bytes: [UInt8] = {
        let empty = Descriptor(mediaType: MediaType.ociConfig, digest: Digest.of("{}".utf8), size: 2)
        let text =
            #"{"schemaVersion":2,"mediaType":"\#(MediaType.ociManifest)","config":{"mediaType":"\#(empty.mediaType)","digest":"\#(empty.digest)","size":2},"layers":[]}"#
        return Array(text.utf8)
    }()

    static let digest = Digest.of(bytes)

    static func response(_ fields: [(name: String, value: String)] = []) -> FaultyRegistry.Response {
        FaultyRegistry.Response(200, [("Content-Type", MediaType.ociManifest)] + fields, body: bytes)
    }
}

/// The message of a registry's error, empty where there was none.
func message(_ body: () throws(RegistryError) -> Void) -> String {
    do throws(RegistryError) {
        try body()
        return ""
    } catch {
        return "\(error)"
    }
}
