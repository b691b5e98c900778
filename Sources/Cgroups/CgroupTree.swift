internal import Glibc
internal import Sys

/// A cgroup directory with all below it: a container may have made cgroups of its own.
enum CgroupTree {
    /// Deeper than any sane delegation; bounds the walk of a tree that a container built.
    private static let maximalDepth = 64

    static func processes(in directory: String) throws(CgroupError) -> [pid_t] {
        var result: [pid_t] = []
        try visit(directory) { path throws(Errno) in
            let text = try CgroupFile.read("\(path)/cgroup.procs")
            // A process outside of our pid namespace shows as 0.
            result += text.split(separator: "\n").compactMap { pid_t($0) }.filter { $0 > 0 }
        }
        return result
    }

    /// Removes `directory`, the deepest first. What is not there is no error.
    static func remove(_ directory: String) throws(Errno) {
        do throws(Errno) {
            try Directory.remove(directory)
        } catch .noEntry {
            return
        } catch .busy {
            try removeChildren(of: directory, depth: 0)
            do throws(Errno) { try Directory.remove(directory) } catch .noEntry { return }
        }
    }

    private static func removeChildren(of directory: String, depth: Int) throws(Errno) {
        if depth > maximalDepth { throw Errno(rawValue: ELOOP) }
        for child in try children(of: directory) {
            let path = "\(directory)/\(child)"
            try removeChildren(of: path, depth: depth + 1)
            do throws(Errno) { try Directory.remove(path) } catch .noEntry { continue }
        }
    }

    private static func children(of directory: String) throws(Errno) -> [String] {
        do throws(Errno) {
            return try Directory.entries(directory).filter { $0.type == UInt8(DT_DIR) }.map { $0.name }
        } catch .noEntry {
            return []
        }
    }

    /// Calls `body` on `directory` and all below; one that vanishes meanwhile is left out.
    static func visit(
        _ directory: String, depth: Int = 0, _ body: (String) throws(Errno) -> Void
    ) throws(CgroupError) {
        do throws(Errno) {
            if depth > maximalDepth { throw Errno(rawValue: ELOOP) }
            try body(directory)
        } catch {
            // ENODEV: the cgroup was removed between open and read.
            if error == .noEntry || error.rawValue == ENODEV { return }
            throw .system(SystemFailure("walk cgroup", directory, error))
        }
        let below: [String]
        do throws(Errno) {
            below = try children(of: directory)
        } catch {
            throw .system(SystemFailure("list cgroup", directory, error))
        }
        for child in below { try visit("\(directory)/\(child)", depth: depth + 1, body) }
    }
}
