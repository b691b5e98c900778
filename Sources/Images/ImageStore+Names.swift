package import OCI

extension ImageStore {
    /// All names with a tag, as docker prints them, from the record of names alone; none where that can't be read.
    package func tagNames() -> [(name: String, id: Digest)] {
        guard let repositories = try? readRepositories() else { return [] }
        return repositories.entries.values.flatMap { names in names.map { (name: $0.key, id: $0.value) } }
            .filter { !$0.name.contains("@") }
            .sorted { $0.name < $1.name }
    }
}
