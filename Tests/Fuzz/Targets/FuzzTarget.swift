/// What an input showed to be wrong.
package struct Finding: Error, Sendable, CustomStringConvertible {
    package let description: String

    init(_ description: String) { self.description = description }
}

func expect(_ condition: Bool, _ message: @autoclosure () -> String) throws(Finding) {
    if !condition { throw Finding(message()) }
}

/// A parser of strangers' bytes and what must hold for any of them. Beyond its own oracle nothing may trap, hang or take
/// memory without bound.
package struct FuzzTarget: Sendable, CustomStringConvertible {
    /// Its row in the threat model, and the name of its corpus.
    package let name: String
    package let subject: String
    /// Bytes of the largest input that is worth trying.
    package let largestInput: Int
    /// The input is a tar: a mutation that leaves check sums wrong is seen by nothing behind the check.
    package let isTar: Bool
    /// It makes files of other owners.
    package let needsRoot: Bool
    package let run: @Sendable ([UInt8]) throws(Finding) -> Void

    package var description: String { "\(name) \(subject)" }

    init(
        _ name: String, _ subject: String, largestInput: Int, isTar: Bool = false, needsRoot: Bool = false,
        run: @escaping @Sendable ([UInt8]) throws(Finding) -> Void
    ) {
        self.name = name
        self.subject = subject
        self.largestInput = largestInput
        self.isTar = isTar
        self.needsRoot = needsRoot
        self.run = run
    }

    package static let all: [FuzzTarget] = [
        FuzzTarget("Z1", "tar members", largestInput: 16384, isTar: true, run: TarEntryFuzz.run),
        FuzzTarget("Z2", "layers on disk", largestInput: 8192, isTar: true, needsRoot: true, run: ApplyLayerFuzz.run),
        FuzzTarget("Z3", "whiteouts", largestInput: 192, needsRoot: true, run: WhiteoutFuzz.run),
        FuzzTarget("Z4", "manifests and configs", largestInput: 8192, run: DocumentFuzz.run),
        FuzzTarget("Z5", "references and digests", largestInput: 512, run: ReferenceFuzz.run),
        FuzzTarget("Z6", "response headers", largestInput: 1024, run: HeaderFuzz.run),
        FuzzTarget("Z8", "users and groups", largestInput: 1024, run: UserFuzz.run),
        FuzzTarget("Z10", "values of flags", largestInput: 512, run: FlagFuzz.run),
    ]
}
