internal import Glibc
internal import Sys

/// The format of a data root as a whole, a number in `DATA/format`. What a later runimg has changed there this one can't
/// know: it shows what it understands and changes nothing.
package enum StoreFormat {
    package static let current = 1

    /// Refuses a data root of a later format. One without a number has the first.
    package static func check(_ root: String) throws(StoreError) {
        let path = "\(root)/format"
        let bytes: [UInt8]
        do throws(Errno) {
            bytes = try File.readRecord(path, expecting: 64, limit: 4096)
        } catch .noEntry {
            return
        } catch {
            throw .system(SystemFailure("read", path, error))
        }
        guard let number = Int(String(decoding: bytes, as: UTF8.self).prefix { $0 != "\n" }) else {
            throw .damaged(
                path: path, reason: "it is no number",
                remedy: "if no later runimg has used this data root, write \(current) to it")
        }
        if number > current { throw .newer(path: path, version: number) }
    }
}

extension ImageStore {
    /// Writes the number where there is none.
    func markFormat() throws(StoreError) {
        let path = "\(layout.root)/format"
        if File.exists(path) { return }
        do throws(SystemFailure) {
            try File.replace(path, with: Array("\(StoreFormat.current)\n".utf8))
        } catch {
            throw .system(error)
        }
    }
}
