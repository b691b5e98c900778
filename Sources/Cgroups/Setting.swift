/// One value for one file of a cgroup.
struct Setting: Hashable, Sendable {
    /// The limit in the user's words.
    let limit: String
    let file: String
    let value: String
    /// Lifts a limit: what a new cgroup has anyway, and no reason to fail where the file is missing.
    var isUnlimited = false
    /// Adds to another setting what only some kernels have: passed over where they don't.
    var isOptional = false
    /// What to do about a missing file.
    var remedy = "leave the limit out"
    /// Where the value goes when `file` is missing.
    var fallback: Fallback?
    /// What of the file this value is, where it is not all of it.
    var entry: Entry?

    struct Fallback: Hashable, Sendable {
        let file: String
        let value: String
    }

    /// One line, or one word of it, of a file that has a line for each device: `8:0 1048576`, `8:0 rbps=max wbps=5`.
    struct Entry: Hashable, Sendable {
        let device: String
        /// nil: all that stands behind the device.
        var key: String?
        /// What is written to have no value.
        let none: String

        /// What has to be written to get what `text`, the file's, says now.
        func value(in text: String) -> String {
            var found: Substring?
            for line in text.split(separator: "\n") {
                let words = line.split(separator: " ")
                guard words.count >= 2, words[0] == device else { continue }
                guard let key else {
                    found = words[1]
                    break
                }
                found = words.first { $0.hasPrefix("\(key)=") }?.dropFirst(key.utf8.count + 1)
            }
            return self.text(found.map(String.init) ?? none)
        }

        func text(_ value: String) -> String { "\(device) \(key.map { "\($0)=" } ?? "")\(value)" }
    }
}
