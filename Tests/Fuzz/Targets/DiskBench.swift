internal import CLinux
internal import Glibc
internal import Sys

/// A directory of one input: `work`, where trees are made, and a canary beside it. Names of the canary from inside a tree
/// of `work` are `../../canary/…`: an input can know them.
final class DiskBench {
    let path: String
    private let before: [String]

    /// A file system in memory is ten times as fast; whoever starts many inputs names one.
    private static let parent = getenv("RUNIMG_FUZZ_SCRATCH").map { String(cString: $0) } ?? "/var/tmp"

    init() throws(Finding) {
        var template = Array("\(DiskBench.parent)/runimg-fuzz-XXXXXX".utf8CString)
        guard mkdtemp(&template) != nil else { throw Finding("mkdtemp in \(DiskBench.parent): \(Errno.current)") }
        path = template.withUnsafeBufferPointer {
            String(decoding: $0.prefix { $0 != 0 }.map(UInt8.init), as: UTF8.self)
        }
        let root = path
        before = try DiskBench.lift("prepare \(root)") { () throws(Errno) in
            try Directory.make("\(root)/work", mode: 0o755)
            for name in ["canary", "canary/dir"] { try Directory.make("\(root)/\(name)", mode: 0o755) }
            for name in ["canary/file", "canary/dir/inner"] {
                let file = try File.open("\(root)/\(name)", O_WRONLY | O_CREAT | O_EXCL, mode: 0o4755)
                try File.write(file.raw, name)
            }
            try File.symlink("file", "\(root)/canary/link")
            try check { mkfifo("\(root)/canary/fifo", 0o600) }
            return try DiskBench.statuses(root)
        }
    }

    deinit { try? Directory.removeTree(path) }

    /// A new directory below `work`.
    func directory(_ name: String) throws(Finding) -> Tree {
        let path = "\(path)/work/\(name)"
        return try DiskBench.lift("make \(path)") { () throws(Errno) in
            try Directory.make(path, mode: 0o755)
            return Tree(try Directory.open(path))
        }
    }

    /// Nothing beside the trees changed; a change of anything shows in the time of the last one.
    func checkCanary() throws(Finding) {
        let root = path
        let after = try DiskBench.lift("look at \(root)") { () throws(Errno) in try DiskBench.statuses(root) }
        try expect(after == before, "the canary changed from \(before) to \(after)")
    }

    /// Runs `body` on a thread that cannot change a file outside of `work`.
    func confined(_ body: @escaping @Sendable () -> Void) throws(Finding) {
        let work = "\(path)/work"
        let outcome = Outcome()
        let thread = try DiskBench.lift("start a thread") { () throws(Errno) in
            try JoinableThread {
                // A kernel without Landlock: the canary alone tells.
                if let policy = LandlockPolicy(abi: Landlock.abi) {
                    do throws(Errno) {
                        try Landlock.enforce(policy, paths: [("/", .read), (work, .trees)], ports: [])
                    } catch {
                        outcome.error = error
                    }
                }
                body()
            }
        }
        thread.join()
        if let error = outcome.error { throw Finding("Landlock: \(error)") }
    }

    /// Written by the thread, read after it was joined.
    private final class Outcome: @unchecked Sendable {
        var error: Errno?
    }

    private static func statuses(_ root: String) throws(Errno) -> [String] {
        var result: [String] = []
        for name in ["", "canary", "canary/file", "canary/dir", "canary/dir/inner", "canary/link", "canary/fifo"] {
            var status = stat()
            try check { lstat("\(root)/\(name)", &status) }
            // Making trees in `work` changes nothing here.
            result.append(
                "\(name) \(status.st_mode) \(status.st_uid) \(status.st_size) \(status.st_nlink) "
                    + "\(status.st_ctim.tv_sec).\(status.st_ctim.tv_nsec)")
        }
        return result
    }

    static func lift<R: ~Copyable>(_ what: String, _ body: () throws(Errno) -> R) throws(Finding) -> R {
        do throws(Errno) {
            return try body()
        } catch {
            throw Finding("\(what): \(error)")
        }
    }
}

/// An open directory.
final class Tree: Sendable {
    private let descriptor: OwnedFD
    var fd: Int32 { descriptor.raw }

    init(_ descriptor: consuming OwnedFD) { self.descriptor = descriptor }
}
