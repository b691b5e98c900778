internal import Sys

/// Signal names as `--stop-signal` takes them: a number, or a name with or without `SIG`.
package enum SignalName {
    package static func validate(_ text: String) throws(ValueError) -> String {
        guard SignalNumber.parse(text) != nil else { throw .plain("invalid signal: \(Names.printable(text))") }
        return text
    }
}
