package import OCI

extension ImageStore {
    /// All names with a tag, as docker prints them, from the record of names alone; none where that can't be read.
    package func tagNames() -> [(name: String, id: Digest)] {
        guard let repositories = try? readRepositories() else { return [] }
        return repositories.entries.values.flatMap { names in names.map { (name: $0.key, id: $0.value) } }
            .filter { !$0.name.contains("@") }
            .sorted { $0.name < $1.name }
    }

    /// Gives the image that `source` means a further name, which may have been another image's. When this returns, a
    /// power cut does not take the name; before, all names are as they were.
    @discardableResult
    package func tag(_ source: String, as name: Reference) throws(StoreError) -> Image {
        // No removal comes between the look at the image and its new name: it holds the same lock.
        try locked(StoreLocks.repositories) { () throws(StoreError) in
            // Before the image, which can be had by ID without them: names that can't be read are never written over.
            var repositories = try readRepositories()
            guard let image = try resolve(source) else { throw ImageStore.missing(source) }
            if repositories[name.tagged] == image.id { return image }
            repositories[name.tagged] = image.id
            try writeRepositories(repositories)
            return image
        }
    }
}
