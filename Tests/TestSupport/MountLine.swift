/// A line of /proc/PID/mountinfo (proc_pid_mountinfo(5)).
package struct MountLine: Sendable, CustomStringConvertible {
    package let description: String
    package let root: String
    package let point: String
    package let options: Set<String>
    /// `shared:1`, `master:2`, `unbindable`.
    package let propagation: [String]
    package let type: String
    package let source: String
    package let superOptions: Set<String>

    package init?(_ line: Substring) {
        let fields = line.split(separator: " ").map { String($0) }
        guard fields.count > 8, let dash = fields.firstIndex(of: "-"), dash > 5, fields.count > dash + 3 else {
            return nil
        }
        description = String(line)
        (root, point) = (fields[3], fields[4])
        options = Set(fields[5].split(separator: ",").map(String.init))
        propagation = Array(fields[6..<dash])
        (type, source) = (fields[dash + 1], fields[dash + 2])
        superOptions = Set(fields[dash + 3].split(separator: ",").map(String.init))
    }

    package static func parse(_ text: String) -> [MountLine] {
        text.split(separator: "\n").compactMap { MountLine($0) }
    }
}

extension OCIBench {
    /// The mounts that a container of that configuration sees.
    package func mounts(_ change: (inout OCIConfig) throws -> Void) throws -> [MountLine] {
        MountLine.parse(try lines("cat /proc/self/mountinfo", change).joined(separator: "\n"))
    }

    /// The topmost one at a place.
    package func mount(
        _ point: String, _ change: (inout OCIConfig) throws -> Void
    ) throws -> MountLine? {
        try mounts(change).last { $0.point == point }
    }
}
