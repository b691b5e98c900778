internal import Glibc
internal import Sys

extension LimitPlan {
    /// By v1's lists, or by v2's filter.
    func applyDevices(to directories: [CgroupDirectory]) throws(CgroupError) {
        if rules.isEmpty { return }
        if let v1 = directories.first(where: { $0.hierarchy.controllers.contains("devices") }) {
            try writeDevices(to: v1.path)
        } else if let unified = directories.last, unified.hierarchy.isUnified {
            try attachDevices(to: unified.path)
        }
    }

    private func writeDevices(to directory: String) throws(CgroupError) {
        var line = ""
        let path = "\(directory)/devices"
        do throws(Errno) {
            let allow = try File.open("\(path).allow", O_WRONLY)
            let deny = try File.open("\(path).deny", O_WRONLY)
            for rule in rules {
                for text in rule.lines {
                    line = text
                    try File.write(rule.allow ? allow.raw : deny.raw, text)
                }
            }
        } catch {
            throw .refused(limit: "device rules", value: line, file: "\(path).allow or .deny", error)
        }
    }

    private func attachDevices(to directory: String) throws(CgroupError) {
        do throws(Errno) {
            let cgroup = try File.open(directory, O_RDONLY | O_DIRECTORY)
            let program = try BPF.loadCgroupDevice(DeviceProgram(rules: rules).bytes)
            try BPF.attachCgroupDevice(program.raw, to: cgroup.raw)
        } catch {
            throw .refused(limit: "device rules", value: "eBPF device filter", file: directory, error)
        }
    }
}
