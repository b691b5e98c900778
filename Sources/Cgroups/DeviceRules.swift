internal import OCI

/// What a device rule says, checked (config-linux.md#allowed-device-list).
struct DeviceRule: Hashable, Sendable {
    enum Kind: Sendable { case all, block, character }

    let allow: Bool
    let kind: Kind
    /// nil: any.
    let major: UInt32?
    let minor: UInt32?
    let access: Access

    struct Access: OptionSet, Hashable, Sendable {
        let rawValue: UInt8
        // The bits of bpf_cgroup_dev_ctx.access_type (linux/bpf.h, BPF_DEVCG_ACC_*).
        static let mknod = Access(rawValue: 1)
        static let read = Access(rawValue: 2)
        static let write = Access(rawValue: 4)
        static let all: Access = [.mknod, .read, .write]
    }

    init(_ rule: Spec.DeviceRule) throws(CgroupError) {
        allow = rule.allow
        switch rule.type ?? "a" {
        case "a", "": kind = .all
        case "b": kind = .block
        case "c", "u": kind = .character
        default: throw .limit("device rule", reason: "type \"\(rule.type ?? "")\" is not a, b or c")
        }
        major = try DeviceRule.number(rule.major, "major")
        minor = try DeviceRule.number(rule.minor, "minor")
        var access: Access = []
        for letter in rule.access ?? "rwm" {
            switch letter {
            case "r": access.insert(.read)
            case "w": access.insert(.write)
            case "m": access.insert(.mknod)
            default: throw .limit("device rule", reason: "access \"\(rule.access ?? "")\" is not made of r, w and m")
            }
        }
        if access.isEmpty { throw .limit("device rule", reason: "no access (r, w or m) is given") }
        self.access = access
    }

    /// Nil and -1 are any number.
    private static func number(_ value: Int64?, _ what: String) throws(CgroupError) -> UInt32? {
        guard let value, value != -1 else { return nil }
        guard let number = UInt32(exactly: value) else {
            throw .limit("device rule", reason: "\(what) number \(value) is out of range")
        }
        return number
    }

    /// Speaks of every device and every access: `a`.
    var isEverything: Bool { kind == .all && major == nil && minor == nil && access == .all }

    /// As cgroup v1 reads it (cgroup-v1/devices.rst): `c 1:3 rwm`. A rule of type `a` means everything there, whatever
    /// numbers stand behind it, so one with numbers is written once for each type.
    var lines: [String] {
        if isEverything { return ["a"] }
        let numbers = "\(major.map { String($0) } ?? "*"):\(minor.map { String($0) } ?? "*")"
        var letters = ""
        if access.contains(.read) { letters += "r" }
        if access.contains(.write) { letters += "w" }
        if access.contains(.mknod) { letters += "m" }
        let types = kind == .all ? ["b", "c"] : kind == .block ? ["b"] : ["c"]
        return types.map { "\($0) \(numbers) \(letters)" }
    }
}
