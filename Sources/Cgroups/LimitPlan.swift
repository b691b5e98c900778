internal import Glibc
internal import OCI
internal import Sys

/// The limits of one container, divided among the hierarchies of this machine before anything is made.
struct LimitPlan: Sendable {
    private struct Group: Sendable {
        let controller: String
        let isUnified: Bool
        let settings: [Setting]

        func directory(in directories: [CgroupDirectory]) -> CgroupDirectory? {
            directories.first {
                isUnified
                    ? $0.hierarchy.isUnified : $0.hierarchy.controllers.contains(Limits.legacyName(controller))
            }
        }
    }

    private let groups: [Group]
    let rules: [DeviceRule]

    /// - Parameter isLive: whether the cgroup has limits already, so that those that are lifted have to be written too.
    init(_ resources: Spec.Resources, layout: CgroupLayout, isLive: Bool = false) throws(CgroupError) {
        let limits = Limits(resources: resources)
        var groups: [Group] = []
        for controller in Limits.controllers {
            let hierarchy = layout.hierarchy(of: Limits.legacyName(controller)) ?? layout.hierarchy(of: controller)
            let isUnified = hierarchy?.isUnified ?? (layout.mode == .unified)
            // A new cgroup has no limits: what lifts one need not be written.
            var settings: [Setting] = []
            for setting in try limits.settings(of: controller, unified: isUnified)
            where !setting.isUnlimited || (isLive && hierarchy != nil) {
                settings.append(setting)
            }
            guard let first = settings.first else { continue }
            if hierarchy == nil {
                throw .missingController(
                    limit: first.limit, controller: isUnified ? controller : Limits.legacyName(controller),
                    available: layout.controllers)
            }
            if controller == "cpuset", let hierarchy { try LimitPlan.check(settings, hierarchy) }
            groups.append(Group(controller: controller, isUnified: isUnified, settings: settings))
        }
        if let group = try LimitPlan.unifiedGroup(resources, layout) { groups.append(group) }
        self.groups = groups
        var rules: [DeviceRule] = []
        for rule in resources.devices { rules.append(try DeviceRule(rule)) }
        // Everything is allowed in a new cgroup anyway, unless its parent says otherwise.
        self.rules = rules.allSatisfy { $0.allow && $0.isEverything } ? [] : rules
        if !self.rules.isEmpty, layout.hierarchy(of: "devices") == nil, layout.mode == .legacy {
            throw .missingController(limit: "device rules", controller: "devices", available: layout.controllers)
        }
    }

    /// Files of cgroup v2 by name, for which the spec has no field. Beside v1 hierarchies only those of the controllers
    /// that v2 has there.
    private static func unifiedGroup(
        _ resources: Spec.Resources, _ layout: CgroupLayout
    ) throws(CgroupError) -> Group? {
        guard let values = resources.unified, !values.isEmpty else { return nil }
        var settings: [Setting] = []
        let available = layout.hierarchies.first { $0.isUnified }?.controllers ?? []
        for (file, value) in values.sorted(by: { $0.key < $1.key }) {
            let limit = "cgroup v2 value \"\(ForeignText(file, limit: 80))\""
            if file.contains("/") || !file.contains(".") || file.hasPrefix(".") {
                throw .limit(limit, reason: "it is not a file name such as memory.high")
            }
            if layout.mode != .unified, !available.contains(String(file.prefix { $0 != "." })) {
                throw .limit(limit, reason: "this machine does not run on cgroup v2 alone")
            }
            settings.append(Setting(limit: limit, file: file, value: value))
        }
        return Group(controller: "", isUnified: true, settings: settings)
    }

    /// v2 takes CPUs that are not there and quietly uses all instead; v1 answers with EACCES or EINVAL.
    private static func check(_ settings: [Setting], _ hierarchy: CgroupLayout.Hierarchy) throws(CgroupError) {
        for setting in settings {
            let suffix = hierarchy.isUnified ? ".effective" : ""
            let file = hierarchy.isUnified ? setting.file + suffix : setting.file
            guard let text = try? CgroupFile.read("\(hierarchy.mountPoint)/\(file)") else { continue }
            let available = text.filter { $0 != "\n" }
            guard let all = CPUList(available), let asked = CPUList(setting.value) else { continue }
            if !asked.isSubset(of: all) {
                throw .limit(setting.limit, reason: "\(setting.value) is asked for, available is \(available)")
            }
        }
    }

    /// All values by file, those for kernels that lack the first choice as well.
    var files: [String: String] {
        var result: [String: String] = [:]
        for setting in groups.flatMap(\.settings) where setting.entry == nil {
            result[setting.file] = setting.value
            if let fallback = setting.fallback { result[fallback.file] = fallback.value }
        }
        return result
    }

    /// Writes everything into the fresh cgroup that `directories` are.
    func apply(to directories: [CgroupDirectory], parts: [String]) throws(CgroupError) {
        if let unified = directories.last, unified.hierarchy.isUnified {
            var needed: [String: String] = [:]
            for group in groups where group.isUnified {
                let controller = group.controller
                for setting in group.settings {
                    let name = controller.isEmpty ? String(setting.file.prefix { $0 != "." }) : controller
                    needed[name] = setting.limit
                }
            }
            try Delegation.enable(for: unified, parts: parts, needed: needed)
        }
        for group in groups {
            if let directory = group.directory(in: directories) {
                try LimitPlan.write(group.settings, to: directory.path)
            }
        }
        try applyDevices(to: directories)
    }

    /// Writes everything into a cgroup that is in use, and returns what stood in the files before. A failure writes that
    /// back before it is thrown.
    func change(_ directories: [CgroupDirectory]) throws(CgroupError) -> LimitChange {
        var change = LimitChange()
        do throws(CgroupError) {
            for group in groups {
                guard let directory = group.directory(in: directories) else { continue }
                change.previous.append((directory.path, try LimitPlan.values(group.settings, in: directory.path)))
                try LimitPlan.write(group.settings, to: directory.path)
            }
        } catch {
            // The first failure is the one to tell.
            try? change.undo()
            throw error
        }
        return change
    }
}
