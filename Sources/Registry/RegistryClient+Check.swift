internal import OCI

/// What one endpoint says when it is asked for a manifest.
package struct EndpointAnswer: Sendable {
    package let endpoint: Endpoint
    package let text: String
    package let isGood: Bool
}

extension RegistryClient {
    /// Asks every endpoint for the manifest, once each, whatever the others say; `interrupted` ends it.
    package func check(_ name: ManifestName) throws(RegistryError) -> [EndpointAnswer] {
        var result: [EndpointAnswer] = []
        for session in sessions {
            do throws(Fault) {
                result.append(try answer(session, name))
            } catch .interrupted {
                throw .interrupted
            } catch {
                result.append(
                    EndpointAnswer(endpoint: session.endpoint, text: RegistryClient.words(error), isGood: false))
            }
        }
        return result
    }

    private func answer(_ session: EndpointSession, _ name: ManifestName) throws(Fault) -> EndpointAnswer {
        var digest: Digest?
        if case .digest(let wanted) = name { digest = wanted }
        if digest == nil, !session.endpoint.resolves {
            return EndpointAnswer(endpoint: session.endpoint, text: "is not asked for tags", isGood: false)
        }
        var ask = EndpointSession.Ask(path: "manifests/\(name)", accept: DocumentKind.accepted)
        ask.isPatient = false
        let sink = MemorySink(limit: DocumentLimits.manifestBytes, what: "the manifest")
        let head = try session.send(ask, into: sink)
        let found = try RegistryClient.verify(
            sink.bytes, wanted: digest, header: head.value("docker-content-digest"))
        return EndpointAnswer(endpoint: session.endpoint, text: "\(head.status), \(found)", isGood: true)
    }

    private static func words(_ fault: Fault) -> String {
        switch fault {
        case .notFound(let text): text.isEmpty ? "404" : "404: \(text)"
        case .unauthorized(let text): "401 or 403 with these credentials: \(text)"
        case .status(let code, let text, _): text.isEmpty ? "\(code)" : "\(code): \(text)"
        default: "\(fault)"
        }
    }
}
