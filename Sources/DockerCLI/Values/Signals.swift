/// Signal names as `--stop-signal` takes them: a number, or a name with or without `SIG`.
package enum SignalName {
    private static let names: Set<String> = [
        "ABRT", "ALRM", "BUS", "CHLD", "CLD", "CONT", "FPE", "HUP", "ILL", "INT", "IO", "IOT", "KILL", "PIPE", "POLL",
        "PROF", "PWR", "QUIT", "SEGV", "STKFLT", "STOP", "SYS", "TERM", "TRAP", "TSTP", "TTIN", "TTOU", "URG", "USR1",
        "USR2", "VTALRM", "WINCH", "XCPU", "XFSZ",
    ]

    package static func validate(_ text: String) throws(ValueError) -> String {
        if let number = Int(text), (1...64).contains(number) { return text }
        let upper = text.uppercased()
        let name = upper.hasPrefix("SIG") ? String(upper.dropFirst(3)) : upper
        guard names.contains(name) || isRealTime(name) else {
            throw .plain("invalid signal: \(Names.printable(text))")
        }
        return text
    }

    /// `RTMIN`, `RTMIN+15`, `RTMAX-14` (signal(7)).
    private static func isRealTime(_ name: String) -> Bool {
        for (base, sign, most) in [("RTMIN", "+", 15), ("RTMAX", "-", 14)] where name.hasPrefix(base) {
            let rest = name.dropFirst(base.count)
            if rest.isEmpty { return true }
            guard rest.hasPrefix(sign), let offset = Int(rest.dropFirst()) else { return false }
            return (1...most).contains(offset)
        }
        return false
    }
}
