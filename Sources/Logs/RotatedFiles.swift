internal import Sys

/// The files of a log: NAME is appended to, NAME.1 is the one before, and so on. The writer gives each the next number
/// at any moment, the highest first, so that for an instant a number may be missing.
struct RotatedFiles {
    let directory: Int32
    let name: String

    /// All files, oldest first. Read from the newest on: a file that is renamed meanwhile is met again; none is missed but
    /// the one that is replaced.
    func open() throws(LogError) -> [LineFile] { try open { _ in false }.files }

    /// The files that came after `file`, oldest first; nil when `file` itself is not there any more.
    func open(after file: LineFile) throws(LogError) -> [LineFile]? {
        let (files, isFound) = try open { $0.isSameFile(as: file.status) }
        return isFound ? files : nil
    }

    /// Whether `file` is the newest still.
    func isNewest(_ file: LineFile) -> Bool {
        guard let status = try? File.status(name, at: directory) else { return false }
        return status.isSameFile(as: file.status)
    }

    private func open(until known: (FileStatus) -> Bool) throws(LogError) -> (files: [LineFile], isFound: Bool) {
        var files: [LineFile] = []
        var number = -1
        var last = 0
        while true {
            number += 1
            // Asked behind each end: while we read, rotations move the files on, and none of them past us. A listing that is
            // made meanwhile may lack a file under both of its names.
            if number > last { last = try highestNumber() + 2 }
            if number > last { return (complete(files), false) }
            let name = number == 0 ? name : "\(name).\(number)"
            let file: LineFile
            do throws(Errno) {
                file = try LineFile(name, in: directory)
            } catch .noEntry {
                continue
            } catch {
                throw .open(file: name, error)
            }
            if known(file.status) { return (files.reversed(), true) }
            if let first = files.first, first.status.isSameFile(as: file.status) {
                // Among the others may be newer ones, that two rotations at once put in our way. All older ones come again.
                files = [first]
            } else if !files.contains(where: { $0.status.isSameFile(as: file.status) }) {
                files.append(file)
            }
        }
    }

    /// What was met, oldest first. When even the first one was replaced meanwhile it alone has a known place: the next
    /// look finds the others, and the gap.
    private func complete(_ files: [LineFile]) -> [LineFile] {
        if files.count > 1, files[0].isRemoved, File.exists(name, at: directory) { return [files[0]] }
        return files.reversed()
    }

    private func highestNumber() throws(LogError) -> Int {
        do throws(Errno) {
            return try Directory.entries(directory).reduce(0) { highest, entry in
                guard entry.name.hasPrefix("\(name)."), let number = Int(entry.name.dropFirst(name.utf8.count + 1))
                else { return highest }
                return max(highest, min(number, 1000))
            }
        } catch {
            // The directory itself was removed.
            if error == .noEntry { return 0 }
            throw .open(file: name, error)
        }
    }
}
