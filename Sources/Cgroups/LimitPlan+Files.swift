internal import Sys

extension LimitPlan {
    /// What the files of `settings` say now, as settings.
    static func values(_ settings: [Setting], in directory: String) throws(CgroupError) -> [Setting] {
        var result: [Setting] = []
        for setting in settings {
            for file in [setting.file, setting.fallback?.file].compactMap({ $0 }) {
                let path = "\(directory)/\(file)"
                do throws(Errno) {
                    let text = try CgroupFile.read(path)
                    // v2's weights have lines for single devices below the first one, which begins with `default`.
                    let line = setting.entry?.value(in: text) ?? String(text.prefix { $0 != "\n" })
                    var old = Setting(limit: setting.limit, file: file, value: line.isEmpty ? "\n" : line)
                    (old.isOptional, old.entry) = (setting.isOptional, setting.entry)
                    result.append(old)
                    break
                } catch .noEntry {
                    continue
                } catch {
                    throw .system(SystemFailure("read", path, error))
                }
            }
        }
        return result
    }

    /// Some values bound each other (memory and memsw, CFS quota and period), and which has to go first depends on
    /// whether they rise or fall: one that is refused with EINVAL is tried again after the rest.
    static func write(_ settings: [Setting], to directory: String) throws(CgroupError) {
        var refused: [Setting] = []
        for (index, setting) in settings.enumerated() {
            do throws(CgroupError) {
                try write(setting, to: directory)
            } catch {
                guard case .refused(_, _, _, .invalid) = error, index < settings.count - 1 else { throw error }
                refused.append(setting)
            }
        }
        for setting in refused { try write(setting, to: directory) }
    }

    private static func write(_ setting: Setting, to directory: String) throws(CgroupError) {
        let path = "\(directory)/\(setting.file)"
        do throws(Errno) {
            try CgroupFile.write(setting.value, to: path)
        } catch .noEntry {
            if let fallback = setting.fallback {
                var other = Setting(limit: setting.limit, file: fallback.file, value: fallback.value)
                (other.remedy, other.entry) = (setting.remedy, setting.entry)
                return try write(other, to: directory)
            }
            if setting.isUnlimited || setting.isOptional { return }
            throw .missingFile(limit: setting.limit, file: setting.file, remedy: setting.remedy)
        } catch {
            // Newer kernels keep some of v1's files, and take no values in them.
            if setting.isOptional, error == .notSupported { return }
            throw .refused(limit: setting.limit, value: setting.value, file: path, error)
        }
    }
}
