package import Engine
internal import OCI

/// `--device HOST[:CONTAINER][:rwm]`.
package enum Devices {
    package static func parse(_ text: String) throws(ValueError) -> DeviceRequest {
        let parts = text.pieces(":")
        guard parts.count <= 3, !parts[0].isEmpty else { throw .plain("bad format for path: \(Names.printable(text))") }
        if isContainerDeviceInterface(text) { throw .planned("device \(text) by CDI name") }
        var target = parts[0]
        var permissions = "rwm"
        if parts.count == 2, isMode(parts[1]) {
            permissions = parts[1]
        } else if parts.count >= 2 {
            target = parts[1]
        }
        if parts.count == 3 {
            guard isMode(parts[2]) else { throw .plain("bad mode specified: \(Names.printable(parts[2]))") }
            permissions = parts[2]
        }
        guard target.hasPrefix("/"), parts[0].hasPrefix("/") else {
            let path = target.hasPrefix("/") ? parts[0] : target
            throw .plain("\(Names.printable(path)) is not an absolute path")
        }
        guard !text.hasControlCharacters else { throw .plain("bad format for path: \(Names.printable(text))") }
        return DeviceRequest(source: parts[0], target: target.cleanedPath, permissions: permissions)
    }

    /// Each of `r`, `w`, `m` at most once.
    private static func isMode(_ text: String) -> Bool {
        !text.isEmpty && text.allSatisfy { "rwm".contains($0) } && Set(text).count == text.count
    }

    /// `vendor.com/class=name`.
    private static func isContainerDeviceInterface(_ text: String) -> Bool {
        let (kind, name) = text.cut("=")
        return name != nil && !kind.hasPrefix("/") && kind.contains("/") && !kind.contains(":")
    }
}
