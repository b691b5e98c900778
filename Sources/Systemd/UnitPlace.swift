/// Which unit holds a container, and where that is (systemd.unit(5), systemd.slice(5)).
package struct UnitPlace: Sendable, Hashable {
    /// `docker-ID.scope`, or a slice's name.
    package let unit: String
    /// That it is put into.
    package let slice: String
    /// Below the manager's own cgroup, as systemd makes it of the names.
    package let path: String

    package var isSlice: Bool { unit.hasSuffix(".slice") }

    /// From `linux.cgroupsPath` in the form that callers of runc and crun use for systemd, `slice:prefix:name`.
    package init(cgroupsPath: String?, id: String, isUser: Bool) throws(SystemdError) {
        let given = cgroupsPath ?? ""
        let standard = isUser ? "user.slice" : "system.slice"
        func fault(_ reason: String) -> SystemdError { .place(given, reason: reason) }
        if given.isEmpty {
            // Of a container's name only `+` can't stand in a unit's; systemd-escape(1) writes it so.
            let name = id.split(separator: "+", omittingEmptySubsequences: false).joined(separator: "\\x2b")
            (unit, slice) = ("runimg-oci-\(name).scope", standard)
            path = "/\(slice)/\(unit)"
            return
        }
        let parts = given.split(separator: ":", omittingEmptySubsequences: false).map(String.init)
        guard parts.count == 3 else {
            throw fault(
                "with systemd it has the form slice:prefix:name; for a path, "
                    + SystemdError.remedy)
        }
        let asked = parts[0] == "-" ? "-.slice" : parts[0]
        guard !parts[2].isEmpty else { throw fault("it names no unit") }
        if parts[2].hasSuffix(".slice") {
            guard let parents = UnitPlace.parents(parts[2]), !parents.isEmpty else {
                throw fault("\"\(parts[2])\" is no slice's name that a container could have")
            }
            let parent = parents.dropLast().last ?? "-.slice"
            if !asked.isEmpty, asked != parent {
                throw fault("a slice's name says where it is: \(parts[2]) is in \(parent)")
            }
            (unit, slice) = (parts[2], parent)
            path = "/" + parents.joined(separator: "/")
        } else {
            unit = (parts[1].isEmpty ? "" : parts[1] + "-") + parts[2] + ".scope"
            slice = asked.isEmpty ? standard : asked
            guard let parents = UnitPlace.parents(slice) else { throw fault("\"\(slice)\" is no slice's name") }
            path = "/" + (parents + [unit]).joined(separator: "/")
        }
        if let reason = UnitPlace.fault(of: unit) { throw fault(reason) }
    }

    /// `a.slice`, `a-b.slice` and `a-b-c.slice` for `a-b-c.slice`: a slice's name says what it is in. None for the root's;
    /// nil for what is none.
    static func parents(_ slice: String) -> [String]? {
        if slice == "-.slice" { return [] }
        guard slice.hasSuffix(".slice"), fault(of: slice) == nil else { return nil }
        let parts = slice.dropLast(6).split(separator: "-", omittingEmptySubsequences: false)
        if parts.contains("") { return nil }
        return parts.indices.map { parts[...$0].joined(separator: "-") + ".slice" }
    }

    /// Why a name can't be a unit's.
    private static func fault(of name: String) -> String? {
        if name.utf8.count > 255 { return "the unit's name, \(name.utf8.count) bytes, is longer than 255" }
        let isFit = name.utf8.allSatisfy { byte in
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"):
                true
            default: ":-_.\\".utf8.contains(byte)
            }
        }
        return isFit ? nil : "a unit's name has only letters, digits and :-_.\\ in it"
    }
}
