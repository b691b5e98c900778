internal import Glibc
internal import Sys

/// Volumes: `volumes/NAME/_data`. Whoever makes, fills or removes a volume holds the lock of `volumes/NAME`; a container's
/// record names its volumes before it asks for that lock, so a removal that has it sees all users.
struct VolumeStore: Sendable {
    let dataRoot: String
    let root: String

    init(dataRoot: String) {
        self.dataRoot = dataRoot
        root = dataRoot + "/volumes"
    }

    func directory(_ name: String) -> String { "\(root)/\(name)" }
    func data(_ name: String) -> String { "\(root)/\(name)/_data" }
    func optionsPath(_ name: String) -> String { "\(root)/\(name)/opts.json" }

    /// What is being removed.
    private static let removed = "_removed"
    /// A container that is not the volume's own was made with it.
    private static let shared = "shared"

    /// Makes the volume; false where it is there already.
    func make(_ name: String) throws(EngineError) -> Bool {
        let isNew = !File.exists(data(name))
        try locked(name) { _ throws(EngineError) in () }
        return isNew
    }

    /// Makes the volume if it is new; one without any file gets what `seeder`'s image has at `target`, all of it or
    /// nothing: a kill or a power cut in between is made good by the next who asks. False where it is there already.
    func make(_ name: String, filledFrom target: String, by seeder: VolumeSeeder) throws(EngineError) -> Bool {
        let isNew = !File.exists(data(name))
        try locked(name) { directory throws(EngineError) in
            let copy = VolumeCopy(directory: directory, path: self.directory(name))
            if try copy.targetIsEmpty() { try copy.fill(from: target, by: seeder) }
        }
        return isNew
    }

    /// Runs `body` with the volume's lock and its directory, made where it is missing. What was cut short is settled first.
    func locked<T>(
        _ name: String, making: Bool = true, _ body: (Int32) throws(EngineError) -> T
    ) throws(EngineError) -> T {
        try checkFormat(dataRoot)
        let lock = try lock(name, making: making)
        try settle(lock.raw, directory(name))
        if making, !File.exists(data(name)) { try makeData(name, in: lock.raw) }
        let result = try body(lock.raw)
        _ = consume lock
        return result
    }

    /// Makes the directory with which a volume is there.
    func makeData(_ name: String, in directory: Int32) throws(EngineError) {
        try call("make", data(name)) { () throws(Errno) in
            try Directory.make("_data", mode: 0o755, at: directory)
            // Whatever the umask says.
            let made = try Directory.open("_data", at: directory)
            try File.setMode(made.raw, 0o755)
        }
    }

    private func lock(_ name: String, making: Bool) throws(EngineError) -> DirectoryLock {
        let path = directory(name)
        while true {
            do throws(Errno) {
                return try DirectoryLock(path, mode: .exclusive)
            } catch {
                // Not there yet; or removed by whoever had the lock before us.
                guard error == .noEntry else { throw .system(SystemFailure("lock", path, error)) }
            }
            guard making else { throw .noSuchVolume(name) }
            try system { () throws(SystemFailure) in try Directory.makePath(path, mode: 0o710) }
        }
    }

    /// Drops what a killed command left of a volume that it was filling, unless somebody has it in hand.
    func settleAside(_ name: String) throws(EngineError) {
        let path = directory(name)
        let attempt: DirectoryLock?
        do throws(Errno) {
            attempt = try DirectoryLock.attempt(path, mode: .exclusive)
        } catch .noEntry {
            return
        } catch {
            throw .system(SystemFailure("lock", path, error))
        }
        guard let lock = consume attempt else { return }
        try settle(lock.raw, path)
        _ = consume lock
    }

    private func settle(_ directory: Int32, _ path: String) throws(EngineError) {
        if File.exists(VolumeStore.removed, at: directory) { try empty(directory, path) }
        try VolumeCopy(directory: directory, path: path).settle()
    }

    static func anonymousName() -> String { Random.hex(bytes: 32) }

    /// Removes a volume unless `check` throws, which is asked with the lock held; tells whether it was there. `name` comes
    /// from a record, which may be damaged.
    @discardableResult
    func remove(_ name: String, unless check: () throws(EngineError) -> Void = {}) throws(EngineError) -> Bool {
        try VolumeStore.check(name)
        do throws(EngineError) {
            return try locked(name, making: false) { directory throws(EngineError) in
                try check()
                let path = self.directory(name)
                let isWhole = File.exists("_data", at: directory)
                if isWhole {
                    // Gone in one step: half a volume is never seen.
                    try call("remove", path) { () throws(Errno) in
                        try File.rename("_data", at: directory, to: VolumeStore.removed, at: directory)
                    }
                }
                try empty(directory, path)
                // Without contents it was being made or removed, and there may be something that is not ours.
                if isWhole {
                    try call("remove", path) { () throws(Errno) in try Directory.removeTree(path) }
                } else {
                    try? Directory.remove(path)
                }
                return isWhole
            }
        } catch .noSuchVolume {
            return false
        }
    }

    /// Removes what a removed volume was, that of which it is known last.
    private func empty(_ directory: Int32, _ path: String) throws(EngineError) {
        try call("remove", path) { () throws(Errno) in
            for name in ["opts.json", VolumeStore.shared] {
                do throws(Errno) { try File.unlink(name, at: directory) } catch { if error != .noEntry { throw error } }
            }
            if File.exists(VolumeStore.removed, at: directory) {
                try Directory.removeTree(VolumeStore.removed, at: directory)
            }
        }
    }

    /// Notes that a container has the volume which it was not made for.
    func markShared(_ name: String) throws(EngineError) {
        guard File.exists(data(name)) else { return }
        try call("write", directory(name)) { () throws(Errno) in
            _ = try File.open("\(directory(name))/\(VolumeStore.shared)", O_WRONLY | O_CREAT | O_NOFOLLOW, mode: 0o600)
        }
    }

    func isShared(_ name: String) -> Bool { File.exists("\(directory(name))/\(VolumeStore.shared)") }

    static func check(_ name: String) throws(EngineError) {
        guard ResourceName.isValid(name) else {
            throw .invalid(
                "create \(name): \"\(name)\" includes invalid characters for a local volume name, only "
                    + "\"\(ResourceName.pattern)\" are allowed. If you intended to pass a host directory, use "
                    + "absolute path")
        }
    }
}
