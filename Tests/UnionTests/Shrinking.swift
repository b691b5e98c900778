import Sys
import TestSupport

extension Scenario {
    /// The smallest scenario found that still differs: single operations, layer entries and whole layers are left out as
    /// long as that works.
    func shrunk(in scratch: Scratch) throws -> Scenario {
        var smallest = self
        var isSmaller = true
        while isSmaller {
            isSmaller = false
            for candidate in smallest.smaller() where try candidate.fails(in: scratch) {
                smallest = candidate
                isSmaller = true
                break
            }
        }
        return smallest
    }

    private func fails(in scratch: Scratch) throws -> Bool { try difference(in: scratch) != nil }

    /// Larger pieces first.
    private func smaller() -> [Scenario] {
        var result: [Scenario] = []
        for index in layers.indices where layers.count > 1 {
            var copy = self
            copy.layers.remove(at: index)
            result.append(copy)
        }
        for size in [16, 8, 4, 2, 1] where size <= operations.count {
            for start in stride(from: 0, to: operations.count, by: size) {
                var copy = self
                copy.operations.removeSubrange(start..<min(start + size, operations.count))
                result.append(copy)
            }
        }
        for layer in layers.indices {
            for size in [8, 4, 2, 1] where size <= layers[layer].count {
                for start in stride(from: 0, to: layers[layer].count, by: size) {
                    var copy = self
                    copy.layers[layer].removeSubrange(start..<min(start + size, layers[layer].count))
                    result.append(copy)
                }
            }
        }
        return result
    }
}
