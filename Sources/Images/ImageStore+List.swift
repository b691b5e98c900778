internal import OCI

extension ImageStore {
    /// All images, newest first, and what could not be read: one damaged record does not hide the others.
    package struct Listing: Sendable {
        package var images: [Image] = []
        package var problems: [StoreError] = []
    }

    package func list() throws(StoreError) -> Listing {
        var listing = Listing()
        var repositories = Repositories()
        do throws(StoreError) {
            repositories = try readRepositories()
        } catch {
            listing.problems.append(error)
        }
        for id in try allIDs() {
            do throws(StoreError) {
                if let image = try load(id, names: repositories) { listing.images.append(image) }
            } catch {
                listing.problems.append(error)
            }
        }
        listing.images.sort { ($0.createdKey, $1.id.hex) > ($1.createdKey, $0.id.hex) }
        return listing
    }
}

extension Image {
    /// Sorts as the time does as long as all are in UTC, as builders write them.
    fileprivate var createdKey: String { created ?? "" }
}
