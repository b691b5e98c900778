/// One end of a `cp`.
package enum CopyEnd: Sendable, Hashable {
    case local(path: String)
    case container(name: String, path: String)
    /// A tar on standard input or output.
    case stream(descriptor: Int32)
}

package struct CopyRequest: Sendable, Hashable {
    package var source: CopyEnd
    package var destination: CopyEnd
    /// Keeps the owners of what leaves a container (`-a`).
    package var archive = false
    /// Copies what a link at the source's end leads to, not the link (`-L`).
    package var followLink = false

    package init(source: CopyEnd, destination: CopyEnd) {
        self.source = source
        self.destination = destination
    }
}

/// What was copied.
package struct CopyResult: Sendable, Hashable {
    /// Of the tar that the files make.
    package let bytes: Int64
    /// The destination as docker shows it.
    package let destination: String
}
