import Sys
import TestSupport
import Testing

/// The kept inputs of the fuzzers, each a file of Corpora/NAME; `crash-…` are those that once showed a defect.
@Suite struct ReplayTests {
    static func inputs(_ target: FuzzTarget) throws -> [(name: String, bytes: [UInt8])] {
        let directory = "\(PackageTree.root)/Tests/Fuzz/Corpora/\(target.name)"
        return try Directory.entries(directory).map(\.name).sorted().map { name in
            (name, try File.readAll("\(directory)/\(name)", limit: 1 << 20))
        }
    }

    @Test("Z1, Z2, Z3, Z4, Z5, Z6, Z8, Z10: the kept inputs pass", arguments: FuzzTarget.all)
    func keptInputsPass(_ target: FuzzTarget) throws {
        if target.needsRoot, !Conditions.isRoot { return }
        let inputs = try Self.inputs(target)
        #expect(inputs.count > 10)
        for (name, bytes) in inputs {
            do throws(Finding) {
                try target.run(bytes)
            } catch {
                Issue.record("Corpora/\(target.name)/\(name): \(error)")
            }
        }
    }
}
