/// What is mounted in this process's mount namespace (proc_pid_mountinfo(5)), in the order of the mounts.
package struct MountTable: Sendable {
    package struct Line: Sendable, Hashable {
        /// `major:minor` of the file system.
        package var device: String
        /// What of the file system is mounted: `/` for all of it.
        package var root: String
        package var point: String
        package var type: String
        package var source: String
    }

    package let lines: [Line]

    /// Reads /proc/self/mountinfo.
    package static func read() throws(SystemFailure) -> MountTable {
        let path = "/proc/self/mountinfo"
        do throws(Errno) {
            return MountTable(try File.readAll(path, limit: 64 << 20))
        } catch {
            throw SystemFailure("read", path, error)
        }
    }

    package init(_ bytes: [UInt8]) {
        lines = bytes.split(separator: UInt8(ascii: "\n")).compactMap(MountTable.line)
    }

    /// The mount that a path shows: the last one at that point.
    package func top(at point: String) -> Line? { lines.last { $0.point == point } }

    /// Mount points at or below a directory.
    package func points(below directory: String) -> [String] {
        let prefix = directory == "/" ? "/" : directory + "/"
        return lines.map(\.point).filter { $0 == directory || $0.utf8.starts(with: prefix.utf8) }
    }

    private static func line(_ bytes: ArraySlice<UInt8>) -> Line? {
        let fields = bytes.split(separator: UInt8(ascii: " "))
        // Fields of no fixed number stand before the dash.
        guard fields.count > 6, let dash = fields.dropFirst(6).firstIndex(where: { $0.elementsEqual("-".utf8) }),
            fields.count > dash + 2
        else { return nil }
        return Line(
            device: text(fields[2]), root: text(fields[3]), point: text(fields[4]), type: text(fields[dash + 1]),
            source: text(fields[dash + 2]))
    }

    /// Blank, tab, newline and backslash stand as `\040` and the like.
    private static func text(_ field: ArraySlice<UInt8>) -> String {
        guard field.contains(UInt8(ascii: "\\")) else { return String(decoding: field, as: UTF8.self) }
        var result: [UInt8] = []
        var rest = field
        while let byte = rest.popFirst() {
            let digits = rest.prefix(3)
            if byte == UInt8(ascii: "\\"), digits.count == 3,
                let code = UInt8(String(decoding: digits, as: UTF8.self), radix: 8)
            {
                result.append(code)
                rest = rest.dropFirst(3)
            } else {
                result.append(byte)
            }
        }
        return String(decoding: result, as: UTF8.self)
    }
}
