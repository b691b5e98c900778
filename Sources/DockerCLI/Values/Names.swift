package import Engine

/// Names, key-value pairs and other small words.
package enum Names {
    /// `--name`, with or without docker's leading slash.
    package static func container(_ text: String) throws(ValueError) -> String? {
        if text.isEmpty { return nil }
        let name = text.hasPrefix("/") ? String(text.dropFirst()) : text
        guard isName(name) else {
            throw .plain("Invalid container name (\(printable(text))), only [a-zA-Z0-9][a-zA-Z0-9_.-] are allowed")
        }
        return name
    }

    /// `[a-zA-Z0-9][a-zA-Z0-9_.-]+`, the grammar of container and volume names.
    package static func isName(_ text: String) -> Bool {
        let bytes = text.utf8
        guard bytes.count >= 2, let first = bytes.first, isAlphanumeric(first) else { return false }
        return bytes.allSatisfy { isAlphanumeric($0) || "_.-".utf8.contains($0) }
    }

    private static func isAlphanumeric(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"):
            true
        default: false
        }
    }

    /// What sethostname(2) and a line of /etc/hosts can take.
    package static func host(_ text: String, flag: String) throws(ValueError) -> String? {
        if text.isEmpty { return nil }
        let valid = text.utf8.count <= 64 && text.utf8.allSatisfy { isAlphanumeric($0) || "-._".utf8.contains($0) }
        guard valid, let first = text.utf8.first, isAlphanumeric(first) || first == UInt8(ascii: "_") else {
            throw .plain("invalid \(flag) format: \(printable(text))")
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
        let namespaced: Set<String> = [
            "kernel.msgmax", "kernel.msgmnb", "kernel.msgmni", "kernel.sem", "kernel.shmall", "kernel.shmmax",
            "kernel.shmmni", "kernel.shm_rmid_forced",
        ]
        let allowed = namespaced.contains(name) || name.hasPrefix("net.") || name.hasPrefix("fs.mqueue.")
        // The name becomes a path below /proc/sys, with dots or with slashes as separators.
        let safe = !name.contains("..") && !text.hasControlCharacters
        guard let value, allowed, safe else { throw .invalid("sysctl '\(printable(text))' is not allowed") }
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
