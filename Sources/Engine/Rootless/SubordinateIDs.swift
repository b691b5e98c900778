internal import Glibc
internal import Sys

/// The IDs that a user may give to a user namespace besides the own (subuid(5), subgid(5)).
struct SubordinateIDs: Hashable, Sendable {
    struct Range: Hashable, Sendable {
        var start: UInt32
        var count: UInt32
    }

    var users: [Range]
    var groups: [Range]

    /// nil where the user has none of either.
    static func of(user: UInt32) -> SubordinateIDs? {
        let names = [name(of: user), String(user)].compactMap { $0 }
        let users = ranges(of: names, in: read("/etc/subuid"))
        let groups = ranges(of: names, in: read("/etc/subgid"))
        return users.isEmpty || groups.isEmpty ? nil : SubordinateIDs(users: users, groups: groups)
    }

    /// The ranges of `NAME:START:COUNT` lines; what can't be is passed over, as newuidmap does.
    static func ranges(of names: [String], in text: String) -> [Range] {
        var result: [Range] = []
        for line in text.split(separator: "\n") {
            let fields = line.split(separator: ":", omittingEmptySubsequences: false)
            guard fields.count == 3, names.contains(String(fields[0])), let start = UInt32(fields[1]),
                let count = UInt32(fields[2]), count > 0, !start.addingReportingOverflow(count).overflow
            else { continue }
            result.append(Range(start: start, count: count))
        }
        // More lines than this a map may not have on old kernels (user_namespaces(7)); one is the user's own.
        return Array(result.prefix(4))
    }

    /// The arguments of newuidmap or newgidmap: the own ID is 0, the ranges follow.
    static func arguments(_ tool: String, process: Int32, own: UInt32, _ ranges: [Range]) -> [String] {
        var result = [tool, "\(process)", "0", "\(own)", "1"]
        var next: UInt32 = 1
        for range in ranges {
            let count = min(range.count, .max - next)
            result += ["\(next)", "\(range.start)", "\(count)"]
            next += count
        }
        return result
    }

    /// The program of this name, where distributions put it; nil without one.
    static func tool(_ name: String) -> String? {
        ["/usr/bin", "/usr/local/bin", "/bin", "/run/wrappers/bin"].map { "\($0)/\(name)" }.first {
            access($0, X_OK) == 0
        }
    }

    private static func read(_ path: String) -> String {
        String(decoding: (try? File.readAll(path, limit: 1 << 20)) ?? [], as: UTF8.self)
    }

    private static func name(of user: UInt32) -> String? {
        for line in read("/etc/passwd").split(separator: "\n") {
            let fields = line.split(separator: ":", omittingEmptySubsequences: false)
            if fields.count > 3, UInt32(fields[2]) == user { return String(fields[0]) }
        }
        return nil
    }
}
