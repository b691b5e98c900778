/// `--filter KEY=VALUE`, in all commands that have it.
enum FilterText {
    /// The key in lower case, and the value; nil for an empty text, which filters nothing.
    static func split(_ text: String) throws(ValueError) -> (key: String, value: String)? {
        if text.isEmpty { return nil }
        let (key, value) = text.cut("=")
        guard let value else { throw .invalid("bad format of filter (expected name=value)") }
        return (key.lowercased().filter { $0 != " " }, value)
    }
}
