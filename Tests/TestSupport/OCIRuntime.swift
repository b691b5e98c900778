internal import Glibc
internal import Sys
package import Testing

/// An OCI runtime that the suite is run against: ours, or one of Debian's, which check the suite.
package struct OCIRuntime: Sendable, Hashable, CustomStringConvertible {
    package enum Kind: Sendable, Hashable { case runimg, crun, runc, other }

    package let path: String
    package let kind: Kind
    package var description: String { path.split(separator: "/").last.map(String.init) ?? path }

    package init(path: String) {
        self.path = path
        let name = path.split(separator: "/").last ?? ""
        kind = name.hasPrefix("runimg") ? .runimg : name == "crun" ? .crun : name == "runc" ? .runc : .other
    }

    /// Those of RUNIMG_OCI_RUNTIME (paths with colons between them; `crun` and `runc` are Debian's of `make servers`, with
    /// which the suite takes minutes); without it ours.
    package static let all: [OCIRuntime] = {
        let asked = getenv("RUNIMG_OCI_RUNTIME").map { String(cString: $0) } ?? "runimg-oci"
        return asked.split(separator: ":").compactMap { name in
            let known = [
                "runimg-oci": "\(Runimg.binaryDirectory)/runimg-oci", "crun": "\(Fixtures.servers)/crun/bin/crun",
                "runc": "\(Fixtures.servers)/docker/bin/runc",
            ]
            // One that was asked for by its path must be there: without it every test fails and says so.
            guard let path = known[String(name)] else { return OCIRuntime(path: String(name)) }
            return Tool.find(path).map(OCIRuntime.init(path:))
        }
    }()

    /// The one that callers are tried with, which takes much longer: the first.
    package static let first = Array(all.prefix(1))

    /// What its libraries need, for one of Debian's.
    package var environment: [String: String] {
        kind == .runc ? ["LD_LIBRARY_PATH": "\(Fixtures.servers)/docker/lib"] : [:]
    }

    /// Where this runtime is known not to do what the specification says: `body` must fail for those of `kinds`, and must
    /// not for all others. A runtime that begins to do it is found out as well.
    package func deviates(
        _ kinds: Set<Kind>, _ reason: Comment, isIntermittent: Bool = false,
        location: SourceLocation = #_sourceLocation, _ body: () throws -> Void
    ) throws {
        guard kinds.contains(kind) else { return try body() }
        withKnownIssue(reason, isIntermittent: isIntermittent, sourceLocation: location) { try body() }
    }
}
