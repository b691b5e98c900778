internal import Sys

/// The files of a log: NAME is appended to, NAME.1 is the one before, and so on. The writer gives each the next number
/// at any moment, the highest first, so that for an instant a number may be missing.
struct RotatedFiles {
    let directory: Int32
    let name: String

    /// All files, oldest first. Read from the newest on: a file that is renamed meanwhile is met again, and known by its
    /// inode; none is missed but the one that is replaced.
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
        // One more than there are now, for a rotation meanwhile.
        for number in 0...(try highestNumber() + 1) {
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
            if !files.contains(where: { $0.status.isSameFile(as: file.status) }) { files.append(file) }
        }
        return (files.reversed(), false)
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
