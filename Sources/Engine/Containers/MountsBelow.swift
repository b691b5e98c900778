internal import Sys

/// What somebody has mounted inside of a directory of ours.
enum MountsBelow {
    /// Refuses a removal that a mount would stop half-way: nothing may be lost by that, least of all what is mounted.
    static func refuse(_ directory: String, removing what: String) throws(EngineError) {
        guard let opened = try? Directory.open(directory), let path = try? File.readLink("/proc/self/fd/\(opened.raw)"),
            let table = try? File.readAll("/proc/self/mountinfo", limit: 16 << 20)
        else { return }
        for line in String(decoding: table, as: UTF8.self).split(separator: "\n") {
            let fields = line.split(separator: " ")
            guard fields.count > 4, fields[4].hasPrefix(path + "/") || fields[4] == path else { continue }
            throw .conflict("cannot remove \(what): something is mounted at \(fields[4]); unmount it first")
        }
    }
}
