internal import Glibc
package import Sys

/// The format of a data root as a whole, in `DATA/format`: a number, and in a second line which of overlayfs's marks its
/// layers have. What a later runimg has changed there this one can't know: it shows what it understands and changes nothing.
package enum StoreFormat {
    package static let current = 1

    /// Refuses a data root of a later format, and with `marks` one whose layers have others: what is deleted in them would
    /// be there. One without a number has the first.
    package static func check(_ root: String, _ marks: OverlayMarks? = nil) throws(StoreError) {
        let path = "\(root)/format"
        let bytes: [UInt8]
        do throws(Errno) {
            bytes = try File.readRecord(path, expecting: 64, limit: 4096)
        } catch .noEntry {
            return
        } catch {
            throw .system(SystemFailure("read", path, error))
        }
        let lines = bytes.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
        let number = Int(String(decoding: lines[0], as: UTF8.self))
        guard let number else {
            throw .damaged(
                path: path, reason: "it is no number",
                remedy: "if no later runimg has used this data root, write \(current) to it")
        }
        if number > current { throw .newer(path: path, version: number) }
        guard let marks, lines.count > 1, !lines[1].isEmpty else { return }
        if !lines[1].elementsEqual(marks.rawValue.utf8) { throw .otherMarks(root: root, ours: marks) }
    }
}

extension ImageStore {
    /// Writes both where there is nothing.
    func markFormat() throws(StoreError) {
        let path = "\(layout.root)/format"
        if File.exists(path) { return }
        do throws(SystemFailure) {
            try File.replace(path, with: Array("\(StoreFormat.current)\n\(marks.rawValue)\n".utf8))
        } catch {
            throw .system(error)
        }
    }
}
