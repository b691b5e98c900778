internal import Glibc
internal import Sys

/// Where a command writes: standard output, standard error, or a test's buffer.
package protocol TextOutput: AnyObject {
    var isTerminal: Bool { get }
    /// Columns of the terminal now; 80 where there is none.
    var columns: Int { get }
    /// Rows of the terminal now; 24 where there is none.
    var rows: Int { get }
    /// What a command may watch, to end when nobody reads its output any more.
    var descriptors: [Int32] { get }
    func write(_ text: String)
}

extension TextOutput {
    package var descriptors: [Int32] { [] }
    package func line(_ text: String) { write(text + "\n") }
}

/// A descriptor. Text that cannot be written is given up: a closed pipe ends the process by SIGPIPE, as with any filter.
package final class DescriptorOutput: TextOutput {
    private let descriptor: Int32
    package let isTerminal: Bool

    package init(_ descriptor: Int32) {
        self.descriptor = descriptor
        isTerminal = Terminal.isTerminal(descriptor)
    }

    package var descriptors: [Int32] { [descriptor] }

    package var columns: Int {
        guard isTerminal, let size = try? Terminal.size(descriptor), size.columns > 0 else { return 80 }
        return Int(size.columns)
    }

    package var rows: Int {
        guard isTerminal, let size = try? Terminal.size(descriptor), size.rows > 0 else { return 24 }
        return Int(size.rows)
    }

    package func write(_ text: String) {
        var text = text
        text.withUTF8 { bytes in
            var rest = UnsafeRawBufferPointer(bytes)
            while let base = rest.baseAddress, !rest.isEmpty {
                guard let count = try? check({ Glibc.write(descriptor, base, rest.count) }), count > 0 else { return }
                rest = UnsafeRawBufferPointer(rebasing: rest.dropFirst(count))
            }
        }
    }
}
