/// One flag of a command as data. The parser, `--help`, and whatever else lists flags read it from here.
package struct FlagInfo: Sendable {
    package enum Kind: Sendable, Hashable {
        /// `--x` alone means true.
        case bool
        /// Takes a value; the word is what help shows for it (`string`, `list`, `bytes`).
        case value(String)
    }

    package enum Availability: Sendable, Hashable {
        case supported
        /// Known, and refused until it is built.
        case planned
        /// Accepted without effect; the text, where there is one, is said on standard error.
        case ignored(warning: String?)
        /// Never to come, with the reason.
        case refused(reason: String)
    }

    package let name: String
    package let short: Unicode.Scalar?
    package let kind: Kind
    package let usage: String
    package var availability = Availability.supported
    /// What help shows as the default; nil where it is the kind's empty value.
    package var defaultText: String?
    package var hidden = false
    /// The advice behind `Flag --x has been deprecated, `.
    package var deprecation: String?

    /// The value that a planned flag may be given, since it asks for what is so anyway.
    package var neutralValue: String?

    /// What the value may be; nil where nobody said.
    package var takes: ValueKind?

    /// `-m, --memory`, as messages name it.
    package var spelling: String { short.map { "-\($0), --\(name)" } ?? "--\(name)" }
}

/// Why a value is refused.
package enum ValueError: Error, Equatable {
    /// Becomes `invalid argument "VALUE" for "-x, --flag" flag: REASON`.
    case invalid(String)
    /// Said as it is, as docker does for what it checks after parsing.
    case plain(String)
    /// Something that will come: the subject.
    case planned(String)
}

/// A flag and what it does to the request that is being put together.
package struct Flag<Target>: Sendable {
    package typealias Setter = @Sendable (inout Target, String) throws(ValueError) -> Void

    package let info: FlagInfo
    package let set: Setter

    /// A switch.
    package static func bool(
        _ name: String, short: Unicode.Scalar? = nil, _ usage: String, default text: String? = nil,
        _ set: @escaping @Sendable (inout Target, Bool) throws(ValueError) -> Void
    ) -> Flag {
        Flag(info: FlagInfo(name: name, short: short, kind: .bool, usage: usage, defaultText: text)) {
            (target: inout Target, text: String) throws(ValueError) in
            try set(&target, GoValue.bool(text))
        }
    }

    /// A flag with a value. Repeating it calls `set` again: the setter decides whether that replaces or appends. What is
    /// no number says by `takes` what it may be.
    package static func value(
        _ name: String, short: Unicode.Scalar? = nil, type: String = "string", takes: ValueKind? = nil, _ usage: String,
        default text: String? = nil, _ set: @escaping Setter
    ) -> Flag {
        var info = FlagInfo(name: name, short: short, kind: .value(type), usage: usage, defaultText: text)
        info.takes = takes ?? (ValueKind.numbers.contains(type) ? .text : nil)
        return Flag(info: info, set: set)
    }

    /// A flag that is known and cannot be honoured yet: using it is an error, unless it asks for `neutral`.
    package static func planned(
        _ name: String, short: Unicode.Scalar? = nil, type: String = "string", _ usage: String, neutral: String? = nil
    ) -> Flag {
        var info = FlagInfo(
            name: name, short: short, kind: type == "bool" ? .bool : .value(type), usage: usage,
            availability: .planned)
        info.neutralValue = neutral
        let subject = "flag \(info.spelling)"
        return Flag(info: info) { (_, _) throws(ValueError) in throw .planned(subject) }
    }

    package static func ignored(_ name: String, type: String, _ usage: String, warning: String?) -> Flag {
        let info = FlagInfo(
            name: name, short: nil, kind: type == "bool" ? .bool : .value(type), usage: usage,
            availability: .ignored(warning: warning))
        return Flag(info: info) { (_, _) throws(ValueError) in }
    }

    package static func refused(
        _ name: String, short: Unicode.Scalar? = nil, type: String, _ usage: String, reason: String,
        neutral: String? = nil
    ) -> Flag {
        var info = FlagInfo(
            name: name, short: short, kind: type == "bool" ? .bool : .value(type), usage: usage,
            availability: .refused(reason: reason))
        info.neutralValue = neutral
        let message = "flag \(info.spelling): \(reason)"
        return Flag(info: info) { (_, _) throws(ValueError) in throw .plain(message) }
    }

    package func hidden(deprecated advice: String? = nil) -> Flag {
        var copy = info
        copy.hidden = true
        copy.deprecation = advice
        return Flag(info: copy, set: set)
    }
}
