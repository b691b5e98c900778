internal import OCI

/// Huge pages, RDMA and, of v1 alone, network classes and priorities.
extension Limits {
    func hugepages(unified: Bool) throws(CgroupError) -> [Setting] {
        var result: [Setting] = []
        for item in resources.hugepageLimits ?? [] {
            let name = "huge page limit"
            // It becomes part of a file's name.
            guard Limits.isPageSize(item.pageSize) else {
                throw .limit(
                    name, reason: "page size \"\(ForeignText(item.pageSize, limit: 80))\" is not one such as 2MB")
            }
            let (suffix, value) = (unified ? "max" : "limit_in_bytes", String(item.limit))
            result.append(
                Setting(
                    limit: "\(name) of \(item.pageSize)", file: "hugetlb.\(item.pageSize).\(suffix)", value: value,
                    remedy: "/sys/kernel/mm/hugepages lists the sizes that it has"))
            // Of pages that are promised and not used yet: without it a mapping over the limit is made, and its process
            // dies by SIGBUS later.
            result.append(
                Setting(
                    limit: "\(name) of \(item.pageSize)", file: "hugetlb.\(item.pageSize).rsvd.\(suffix)",
                    value: value, isOptional: true))
        }
        return result
    }

    /// Digits and KB, MB or GB.
    private static func isPageSize(_ text: String) -> Bool {
        let digits = text.utf8.dropLast(2)
        return ["KB", "MB", "GB"].contains(text.suffix(2)) && !digits.isEmpty && digits.first != 0x30
            && digits.allSatisfy { (0x30...0x39).contains($0) }
    }

    func rdma() throws(CgroupError) -> [Setting] {
        var result: [Setting] = []
        for (device, limits) in (resources.rdma ?? [:]).sorted(by: { $0.key < $1.key }) {
            let name = "RDMA limit"
            try Limits.checkWord(device, "device", name)
            for (key, value) in [("hca_handle", limits.hcaHandles), ("hca_object", limits.hcaObjects)] {
                guard let value else { continue }
                let entry = Setting.Entry(device: device, key: key, none: "max")
                result.append(
                    Setting(
                        limit: "\(name) of \(device)", file: "rdma.max", value: entry.text(String(value)),
                        entry: entry))
            }
        }
        return result
    }

    func networkClass(unified: Bool) throws(CgroupError) -> [Setting] {
        guard let id = resources.network?.classID, id != 0 else { return [] }
        let name = "network class"
        if unified { throw .limit(name, reason: "cgroup v2 has no network classes; leave it out") }
        return [Setting(limit: name, file: "net_cls.classid", value: String(id))]
    }

    func networkPriorities(unified: Bool) throws(CgroupError) -> [Setting] {
        var result: [Setting] = []
        for item in resources.network?.priorities ?? [] {
            let name = "network priority"
            try Limits.checkWord(item.name, "interface", name)
            if unified { throw .limit(name, reason: "cgroup v2 has no network priorities; leave it out") }
            let entry = Setting.Entry(device: item.name, none: "0")
            result.append(
                Setting(
                    limit: "\(name) of \(item.name)", file: "net_prio.ifpriomap",
                    value: entry.text(String(item.priority)), entry: entry))
        }
        return result
    }

    /// A name that stands in a line with others.
    private static func checkWord(_ word: String, _ what: String, _ name: String) throws(CgroupError) {
        if word.isEmpty || word.utf8.contains(where: { $0 <= 0x20 || $0 == 0x7f }) {
            throw .limit(name, reason: "\"\(ForeignText(word, limit: 80))\" names no \(what)")
        }
    }
}
