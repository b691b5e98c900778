internal import OCI

/// The variables of the container's process: image and command line only, nothing of the caller's but what was named.
enum EnvironmentBuilder {
    static let defaultPath = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

    /// docker's order: what the engine sets, then the user's, then what only the image has; HOME where nobody set it.
    /// An entry of the image without `=` is dropped: it must not be filled from the host.
    static func build(
        user: [String], image: [String], hostname: String, terminal: Bool, home: String
    ) -> [String] {
        var result = Variables()
        result.set(defaultPath)
        result.set("HOSTNAME=\(hostname)")
        if terminal { result.set("TERM=xterm") }
        for entry in image where isAssignment(entry) { result.set(entry) }
        for entry in user { result.set(entry) }
        result.add("HOME=\(home)")
        return result.entries
    }

    /// What an image made of a container has: the user's entries, then those of the container's image that none of them
    /// replaces.
    static func merged(_ image: [String], _ user: [String]) -> [String] {
        var result = Variables()
        for entry in user { result.set(entry) }
        for entry in image { result.add(entry) }
        return result.entries
    }

    /// The entries of an image that name no value. podman filled them from the host (CVE-2026-57231).
    static func unusable(_ image: [String]) -> [String] { image.filter { !isAssignment($0) } }

    /// `NAME=VALUE`, by bytes: to a `String`, an equals sign with a combining mark behind it is none.
    private static func isAssignment(_ entry: String) -> Bool {
        entry.utf8.contains(UInt8(ascii: "=")) && entry.utf8.first != UInt8(ascii: "=")
    }

    /// The value of `name`; nil where it is not set.
    static func value(of name: String, in entries: [String]) -> String? {
        let prefix = "\(name)="
        guard let entry = entries.last(where: { $0.utf8.starts(with: prefix.utf8) }) else { return nil }
        return String(decoding: entry.utf8.dropFirst(prefix.utf8.count), as: UTF8.self)
    }

    /// An ordered list in which a later setting takes the place of an earlier one.
    private struct Variables {
        private(set) var entries: [String] = []
        /// Where names are, once they are many: for a few, a table takes longer to make than looking at each.
        private var places: [[UInt8]: Int] = [:]

        private static let few = 64

        mutating func set(_ entry: String) {
            if let place = place(of: entry) { entries[place] = entry } else { append(entry) }
        }

        mutating func add(_ entry: String) {
            if place(of: entry) == nil { append(entry) }
        }

        private mutating func append(_ entry: String) {
            entries.append(entry)
            if entries.count <= Variables.few { return }
            // The table, or what is new in it.
            for place in places.count..<entries.count { places[Array(Variables.name(of: entries[place]))] = place }
        }

        private func place(of entry: String) -> Int? {
            let name = Variables.name(of: entry)
            if !places.isEmpty { return places[Array(name)] }
            return entries.firstIndex { Variables.name(of: $0).elementsEqual(name) }
        }

        /// In bytes, as the kernel and all programs compare it.
        private static func name(of entry: String) -> Substring.UTF8View {
            entry.utf8.prefix { $0 != UInt8(ascii: "=") }
        }
    }

    /// `KEY=VALUE` of every entry; a key alone takes the caller's value and is left out where the caller has none.
    static func resolve(_ entries: [EnvironmentEntry], caller: (String) -> String?) -> [String] {
        entries.compactMap { entry in
            (entry.value ?? caller(entry.name)).map { "\(entry.name)=\($0)" }
        }
    }
}
