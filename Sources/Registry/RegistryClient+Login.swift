internal import OCI

extension RegistryClient {
    /// Shows the registry the credential, in the way that it asks for; throws `denied` where it does not take it.
    package func verifyLogin() throws(RegistryError) {
        try attempt("answer of registry \(reference.domain)") { turn throws(Fault) in
            let sink = MemorySink(limit: Transfer.errorBodyLimit, what: "the answer")
            _ = try turn.send(EndpointSession.Ask(path: "", base: .version), into: sink)
        }
    }
}
