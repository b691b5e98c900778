internal import OCI

/// "Did you mean this?" below a message about a word that nobody knows.
package enum Suggestion {
    /// For a command that is not there: its words, of which the last one is wrong, or the first.
    static func added(to message: String, commands words: [String]) -> String {
        guard let first = words.first else { return message }
        let members = words.count > 1 ? CommandTable.words(of: first).map(\.word) : []
        let near =
            members.isEmpty
            ? NearestNames.of(first, in: CommandTable.words() + ["help"])
            : NearestNames.of(words[1], in: members)
        return added(to: message, near)
    }

    /// For a flag that is not there.
    static func added(to error: ParseError, _ flags: [FlagInfo]) -> String {
        let names = flags.filter { !$0.hidden && $0.availability == .supported }.map(\.name) + ["help"]
        let near =
            switch error {
            case .unknown(let name): NearestNames.of(name, in: names)
            // `-rm`: two letters that were meant as a word. What is near to them by accident would only confuse.
            case .unknownShort(_, in: let cluster) where cluster.utf8.count > 1:
                names.contains(cluster) ? [cluster] : cluster.utf8.count > 2 ? NearestNames.of(cluster, in: names) : []
            default: [String]()
            }
        return added(to: "\(error)", near.map { "--\($0)" })
    }

    private static func added(to message: String, _ near: [String]) -> String {
        if near.isEmpty { return message }
        return message + "\n\nDid you mean this?\n" + near.map { "\t\($0)" }.joined(separator: "\n")
    }
}
