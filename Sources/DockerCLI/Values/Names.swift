package import Engine
internal import OCI

/// Names, key-value pairs and other small words.
package enum Names {
    /// `--name`, with or without docker's leading slash.
    package static func container(_ text: String) throws(ValueError) -> String? {
        if text.isEmpty { return nil }
        let name = text.hasPrefix("/") ? String(text.dropFirst()) : text
        guard ResourceName.isValid(name) else {
            if name.utf8.count > ResourceName.maximumLength {
                throw .plain("Invalid container name: longer than \(ResourceName.maximumLength) bytes")
            }
            throw .plain("Invalid container name (\(printable(text))), only \(ResourceName.pattern) are allowed")
        }
        return name
    }

    /// Refuses what can be neither the name of a container nor the beginning of an ID, before anything is looked for.
    package static func checkReference(_ text: String) throws(ValueError) {
        let name = text.hasPrefix("/") ? String(text.dropFirst()) : text
        let isPrefix = !name.isEmpty && name.allSatisfy { $0.isASCII && $0.isHexDigit && !$0.isUppercase }
        guard isPrefix || ResourceName.isValid(name) else {
            throw .plain("No such container: \(printable(text))")
        }
    }

    /// What sethostname(2) and a line of /etc/hosts can take.
    package static func host(_ text: String, flag: String) throws(ValueError) -> String? {
        if text.isEmpty { return nil }
        let valid =
            text.utf8.count <= 64 && text.utf8.allSatisfy { ResourceName.isAlphanumeric($0) || "-._".utf8.contains($0) }
        guard valid, let first = text.utf8.first, ResourceName.isAlphanumeric(first) || first == UInt8(ascii: "_")
        else {
            throw .plain("invalid \(flag) format: \(printable(text))")
        }
        return text
    }

    /// A new network's. What is predefined is the engine's to refuse.
    package static func network(_ text: String) throws(ValueError) -> String {
        if text.isEmpty { throw .plain("invalid name: name is empty") }
        guard ResourceName.isNetwork(text) else {
            throw .plain(
                "invalid network name (\(printable(text))), only \(ResourceName.pattern) are allowed, and "
                    + "\(ResourceName.maximumLength) bytes at most")
        }
        return text
    }

    /// A word of a line of hosts(5) or resolv.conf(5).
    package static func hostWord(_ text: String, flag: String) throws(ValueError) -> String {
        let isWord = text.utf8.allSatisfy { $0 > 0x20 && $0 != 0x7f && $0 != UInt8(ascii: "#") }
        guard isWord, !text.isEmpty, !text.hasControlCharacters else {
            throw .plain("\(flag): \(GoValue.quoted(text)) is not one word")
        }
        return text
    }

    /// `KEY=VALUE` or `KEY`.
    package static func environment(_ text: String) throws(ValueError) -> EnvironmentEntry {
        let (name, value) = text.cut("=")
        guard !name.isEmpty else { throw .invalid("invalid environment variable: \(text)") }
        return EnvironmentEntry(name: name, value: value)
    }

    /// `KEY=VALUE`, or `KEY` for an empty value.
    package static func label(_ text: String) throws(ValueError) -> EnvironmentEntry {
        let (name, value) = text.cut("=")
        guard !name.isEmpty else { throw .invalid("invalid label '\(text)': empty name") }
        guard !name.hasControlCharacters else {
            throw .invalid("invalid label \(GoValue.quoted(text)): control character in the name")
        }
        return EnvironmentEntry(name: name, value: value ?? "")
    }

    /// A kernel parameter that belongs to one of the container's namespaces.
    package static func sysctl(_ text: String) throws(ValueError) -> EnvironmentEntry {
        let (name, value) = text.cut("=")
        guard let value, Sysctls.owner(of: name) != nil, !value.hasControlCharacters else {
            throw .invalid("sysctl '\(printable(text))' is not allowed")
        }
        return EnvironmentEntry(name: name, value: value)
    }

    /// A word without control characters, since it may land in a file of lines or in an environment.
    package static func clean(_ text: String, flag: String) throws(ValueError) -> String {
        guard !text.hasControlCharacters else { throw .plain("\(flag): control character in \(GoValue.quoted(text))") }
        return text
    }

    /// Text for a message: as it is, or quoted where a terminal would act on it.
    package static func printable(_ text: String) -> String {
        text.hasControlCharacters ? GoValue.quoted(text) : text
    }
}
