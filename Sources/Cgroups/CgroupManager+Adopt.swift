package import OCI
internal import Sys

/// Cgroups that a service manager makes and keeps, and that are ours to limit.
extension CgroupManager {
    /// The cgroup `path`, made by somebody else in some hierarchies: makes it in the others, and applies `resources`
    /// everywhere, what lifts a limit too. A failure leaves what is there to who made it.
    package func adopt(path: String, resources: Spec.Resources) throws(CgroupError) -> Cgroup {
        let parts = try CgroupManager.components(of: path)
        let plan = try LimitPlan(resources, layout: layout, isLive: true)
        var cgroup = Cgroup(path: "/" + parts.joined(separator: "/"), directories: [])
        for hierarchy in layout.hierarchies {
            let directory = ([hierarchy.mountPoint] + parts).joined(separator: "/")
            if !File.exists(directory) { _ = try CgroupManager.make(parts, in: hierarchy) }
            cgroup.directories.append(CgroupDirectory(path: directory, hierarchy: hierarchy))
        }
        try plan.apply(to: cgroup.directories, parts: parts)
        return cgroup
    }

    /// The values that `resources` are in the files of a cgroup here. Limits that nothing here can enforce are refused.
    package func files(of resources: Spec.Resources) throws(CgroupError) -> [String: String] {
        try LimitPlan(resources, layout: layout, isLive: true).files
    }

    /// What `resources` allow of devices where that is a list of what may be done, and all else is refused; nil where it is
    /// something else, and where no hierarchy of v1 keeps such lists.
    package func allowedDevices(_ resources: Spec.Resources) throws(CgroupError) -> [AllowedDevice]? {
        let rules = try LimitPlan(resources, layout: layout, isLive: true).rules
        guard layout.hierarchy(of: "devices") != nil, let first = rules.first, first.isEverything, !first.allow else {
            return nil
        }
        var result: [AllowedDevice] = []
        for rule in rules.dropFirst() {
            if !rule.allow || rule.isEverything || (rule.major == nil && rule.minor != nil) { return nil }
            if rule.kind != .block { result.append(AllowedDevice(rule, isBlock: false)) }
            if rule.kind != .character { result.append(AllowedDevice(rule, isBlock: true)) }
        }
        return result
    }
}

/// One device, or all of a kind or of a major number, and what may be done with it.
package struct AllowedDevice: Sendable, Hashable {
    package let isBlock: Bool
    /// nil: any.
    package let major: UInt32?
    package let minor: UInt32?
    /// Of the letters rwm.
    package let access: String

    init(_ rule: DeviceRule, isBlock: Bool) {
        (self.isBlock, major, minor) = (isBlock, rule.major, rule.minor)
        access = [(DeviceRule.Access.read, "r"), (.write, "w"), (.mknod, "m")].filter { rule.access.contains($0.0) }
            .map(\.1).joined()
    }
}

extension Cgroup {
    /// Writes into files what `values` says, where they say something else now. Passes over what is refused: nobody has
    /// asked for it anew.
    package func restore(_ values: [String: String]) {
        for (file, value) in values where self.values(of: [file])[file] != value {
            for directory in directories { try? CgroupFile.write(value, to: "\(directory.path)/\(file)") }
        }
    }

    /// What some files of it say now; those that are not there are left out.
    package func values(of files: some Sequence<String>) -> [String: String] {
        var result: [String: String] = [:]
        for file in files {
            for directory in directories {
                guard let text = try? CgroupFile.read("\(directory.path)/\(file)") else { continue }
                let line = text.prefix { $0 != "\n" }
                result[file] = String(line.hasPrefix("default ") ? line.dropFirst(8) : line)
            }
        }
        return result
    }
}
