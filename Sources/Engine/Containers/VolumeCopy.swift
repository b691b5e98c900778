internal import Sys

/// The contents of an image on their way into a volume, in two steps that can each be cut short: copied to `_filling`,
/// which then becomes `_filled`; moved from there into `_data`, whose own directory stays, since containers may have it
/// mounted. The caller has the volume's lock.
struct VolumeCopy {
    private static let filling = "_filling"
    private static let filled = "_filled"

    /// `volumes/NAME`, borrowed.
    let directory: Int32
    let path: String

    func targetIsEmpty() throws(EngineError) -> Bool {
        try call("list", "\(path)/_data") { () throws(Errno) in
            let data = try Directory.open("_data", at: directory)
            return try Directory.entries(data.raw).isEmpty
        }
    }

    /// Drops an unfinished copy, and finishes the moving of a whole one.
    func settle() throws(EngineError) {
        try call("fill", path) { () throws(Errno) in
            if File.exists(VolumeCopy.filling, at: directory) {
                try Directory.removeTree(VolumeCopy.filling, at: directory)
            }
            if File.exists(VolumeCopy.filled, at: directory) { try move() }
        }
    }

    /// Fills `_data`, an empty directory, with what the image has at `target`.
    func fill(from target: String, by seeder: VolumeSeeder) throws(EngineError) {
        if try isMountPoint() {
            // The user's own disk: nothing can be moved there.
            _ = try seeder.fill("\(path)/_data", from: target)
            return
        }
        try call("make", "\(path)/\(VolumeCopy.filling)") { () throws(Errno) in
            try Directory.make(VolumeCopy.filling, mode: 0o700, at: directory)
        }
        do throws(EngineError) {
            guard try seeder.fill("\(path)/\(VolumeCopy.filling)", from: target) else {
                return try call("remove", "\(path)/\(VolumeCopy.filling)") { () throws(Errno) in
                    try Directory.remove(VolumeCopy.filling, at: directory)
                }
            }
        } catch {
            try? Directory.removeTree(VolumeCopy.filling, at: directory)
            throw error
        }
        try call("fill", path) { () throws(Errno) in
            let data = try Directory.open("_data", at: directory)
            guard try Directory.entries(data.raw).isEmpty else {
                // A container that had it already wrote to it meanwhile: it has its contents.
                return try Directory.removeTree(VolumeCopy.filling, at: directory)
            }
            try File.rename(VolumeCopy.filling, at: directory, to: VolumeCopy.filled, at: directory)
            try File.sync(directory)
            try move()
        }
    }

    private func isMountPoint() throws(EngineError) -> Bool {
        try call("stat", path) { () throws(Errno) in
            try File.status("_data", at: directory).device != File.status(directory).device
        }
    }

    private func move() throws(Errno) {
        let source = try Directory.open(VolumeCopy.filled, at: directory)
        let data = try Directory.open("_data", at: directory)
        for entry in try Directory.entries(source.raw) {
            do throws(Errno) {
                try File.rename(entry.bytes, at: source.raw, to: entry.bytes, at: data.raw, noReplace: true)
            } catch .exists {
                // A container was quicker, and what is in a volume is never overwritten.
                try Directory.removeTree(entry.bytes, at: source.raw)
            }
        }
        // Empty by now: what is left to copy is the directory's own owner, mode and attributes.
        try Directory.copyTree(from: source.raw, to: data.raw)
        try File.sync(data.raw)
        try Directory.remove(VolumeCopy.filled, at: directory)
        try File.sync(directory)
    }
}
