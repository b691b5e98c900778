internal import Glibc
package import OCI
internal import Synchronization
internal import Sys

/// A registry that blobs and manifests can be given to, in memory, which fails where the test says.
package final class ReceivingRegistry: Sendable {
    private struct State {
        var blobs: [String: [UInt8]] = [:]
        var uploads: [String: [UInt8]] = [:]
        var manifests: [String: [UInt8]] = [:]
        var next = 0
    }

    /// What is answered instead; nil: what is right.
    package typealias Fault =
        @Sendable (_ request: FaultyRegistry.Request, _ registry: ReceivingRegistry) ->
        FaultyRegistry.Response?

    private let state = Mutex(State())
    private let fault: Fault
    private let server = Mutex<FaultyRegistry?>(nil)

    package init(_ fault: @escaping Fault = { _, _ in nil }) throws {
        self.fault = fault
        let made = try FaultyRegistry { [weak self] request, _ in self?.answer(request) ?? .init(500) }
        server.withLock { $0 = made }
    }

    package var host: String { server.withLock { $0?.host ?? "" } }
    package var requests: [FaultyRegistry.Request] { server.withLock { $0?.requests ?? [] } }
    package func blob(_ digest: Digest) -> [UInt8]? { state.withLock { $0.blobs["\(digest)"] } }
    package func manifest(_ tag: String) -> [UInt8]? { state.withLock { $0.manifests[tag] } }

    /// As after a restart.
    package func forgetUploads() { state.withLock { $0.uploads = [:] } }

    /// Keeps a part of a request's body that is never answered.
    package func take(_ bytes: ArraySlice<UInt8>, of request: FaultyRegistry.Request) {
        state.withLock { $0.uploads[request.path]?.append(contentsOf: bytes) }
    }

    private func answer(_ request: FaultyRegistry.Request) -> FaultyRegistry.Response {
        if let response = fault(request, self) { return response }
        let path = request.path
        switch request.method {
        case "HEAD",
            "GET" where path.contains("/blobs/sha256:"):
            let digest = String(path.split(separator: "/").last ?? "")
            return state.withLock { $0.blobs[digest] == nil ? .init(404) : .init(200) }
        case "GET": return state.withLock { uploaded($0.uploads[path], path, 204) }
        case "POST":
            return state.withLock { state in
                state.next += 1
                let place = path + "upload-\(state.next)"
                state.uploads[place] = []
                return .init(202, [("Location", place), ("Range", "0-0")])
            }
        case "PATCH":
            return state.withLock { state in
                guard let known = state.uploads[path] else { return .init(404) }
                if let range = request.header("Content-Range"), Int(range.prefix { $0 != "-" }) != known.count {
                    return .init(416)
                }
                state.uploads[path]?.append(contentsOf: request.body)
                return uploaded(state.uploads[path], path, 202)
            }
        case "PUT" where path.contains("/blobs/uploads/"): return finish(request)
        case "PUT":
            state.withLock { $0.manifests[String(path.split(separator: "/").last ?? "")] = request.body }
            return .init(201, [("Docker-Content-Digest", "\(Digest.of(request.body))")])
        default: return .init(405)
        }
    }

    private func uploaded(_ bytes: [UInt8]?, _ path: String, _ status: Int) -> FaultyRegistry.Response {
        guard let bytes else { return .init(404) }
        return .init(status, [("Location", path), ("Range", "0-\(max(0, bytes.count - 1))")])
    }

    private func finish(_ request: FaultyRegistry.Request) -> FaultyRegistry.Response {
        state.withLock { state in
            guard let bytes = state.uploads.removeValue(forKey: request.path) else { return .init(404) }
            let digest = "\(Digest.of(bytes))"
            let said = request.target.split(separator: "digest=").last?.replacing("%3a", with: ":").replacing(
                "%3A", with: ":")
            guard said.map({ String($0) }) == digest else {
                return .error(400, "DIGEST_INVALID", "provided digest did not match uploaded content")
            }
            state.blobs[digest] = bytes
            return .init(201, [("Docker-Content-Digest", digest)])
        }
    }
}
