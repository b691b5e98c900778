internal import Engine

/// What a flag's value or an argument may be, and so what a shell can offer for it.
package indirect enum ValueKind: Sendable, Hashable {
    /// Free text; there is nothing to offer.
    case text
    /// One of some words.
    case words([Word])
    case container(ContainerScope)
    case image
    case volume
    case network
    /// A path of the host, or of a container as `NAME:PATH`.
    case containerPath
    case file
    case directory
    /// A signal by name.
    case signal
    /// A fixed beginning such as `max-size=`, then a value.
    case prefixed(String, ValueKind)
    /// A value and what separates it from the rest, such as a volume's `NAME:`.
    case followed(ValueKind, by: String)
    /// Any of several.
    case either([ValueKind])

    package struct Word: Sendable, Hashable, ExpressibleByStringLiteral {
        package let text: String
        /// What shells show beside it.
        package let note: String

        package init(_ text: String, _ note: String = "") {
            self.text = text
            self.note = note
        }

        package init(stringLiteral value: String) { self.init(value) }
    }

    /// Which containers make sense.
    package enum ContainerScope: Sendable, Hashable {
        case any
        case running
        /// Those that a start can be used on.
        case stopped
        case paused
    }

    /// The keys of a `--filter` with their values.
    static func filter(_ keys: [FilterKey]) -> ValueKind {
        .either(keys.map { .prefixed("\($0.name)=", $0.values) })
    }

    static func words(_ texts: some Sequence<String>) -> ValueKind { .words(texts.map { Word($0) }) }

    static func names<Choice: CaseIterable & RawRepresentable<String>>(of type: Choice.Type) -> ValueKind {
        words(type.allCases.map(\.rawValue))
    }

    /// Types, as help shows them, whose values are numbers of some sort.
    static let numbers = ["int", "uint", "uint16", "bytes", "decimal", "duration"]

    static let object = ValueKind.either([.container(.any), .image, .network, .volume])
    static let boolean = ValueKind.words(["true", "false"])
    /// Of lists: docker's `--format`.
    static let listFormat = ValueKind.words([
        Word("json", "an object a line"), Word("table", "columns with a header"), Word("{{json .}}", "a Go template"),
    ])
    /// Of one object.
    static let objectFormat = ValueKind.words([Word("json", "on one line"), Word("{{json .}}", "a Go template")])
    static let platform = words([
        "linux/amd64", "linux/arm64", "linux/arm/v7", "linux/386", "linux/ppc64le", "linux/riscv64", "linux/s390x",
    ])
    /// A joined namespace: `host`, or another container's.
    static let namespace = ValueKind.either([
        .words(["host", "private"]), .prefixed("container:", .container(.running)),
    ])
    static let ipcNamespace = ValueKind.either([.words(["shareable", "none"]), namespace])
    /// What `--volume` begins with: a volume, or a path.
    static let mounted = ValueKind.followed(.either([.volume, .directory]), by: ":")
    /// Instructions that `commit --change` takes.
    static let changes = ValueKind.either(CommitChange.allowed.map { .prefixed("\($0) ", .text) })
    static let capability = words(["ALL"] + CapabilityName.short)
}

/// One key of a `--filter`.
package struct FilterKey: Sendable, Hashable {
    package let name: String
    package let values: ValueKind

    package init(_ name: String, _ values: ValueKind = .text) {
        self.name = name
        self.values = values
    }
}
