/// A command's flags in groups. A group is made when a name is looked for in it, so that a start with common flags does
/// not pay for those that nobody gave.
package struct FlagTable<Target>: Sendable {
    package typealias Group = @Sendable () -> [Flag<Target>]

    private let groups: [Group]

    package init(_ groups: [Group]) { self.groups = groups }

    package init(_ flags: [Flag<Target>]) { groups = [{ flags }] }

    func first(where matches: (FlagInfo) -> Bool) -> Flag<Target>? {
        for group in groups {
            let flags = group()
            // By number: at the start of a process a sequence of a generic type is dearer than the search.
            for index in flags.indices where matches(flags[index].info) { return flags[index] }
        }
        return nil
    }

    /// By name, as help lists them.
    package var all: [Flag<Target>] { groups.flatMap { $0() }.sorted { $0.info.name < $1.info.name } }
}
