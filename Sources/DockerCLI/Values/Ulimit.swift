package import OCI

/// `--ulimit TYPE=SOFT[:HARD]` (setrlimit(2)); -1 is unlimited.
package enum Ulimit {
    private static let names = [
        "core", "cpu", "data", "fsize", "locks", "memlock", "msgqueue", "nice", "nofile", "nproc", "rss", "rtprio",
        "rttime", "sigpending", "stack",
    ]

    static let values = ValueKind.either(names.map { .prefixed("\($0)=", .text) })

    package static func parse(_ text: String) throws(ValueError) -> Spec.Rlimit {
        let (name, values) = text.cut("=")
        guard let values else { throw .invalid("invalid ulimit argument: \(text)") }
        guard names.contains(name) else { throw .invalid("invalid ulimit type: \(name)") }
        let parts = values.pieces(":")
        guard parts.count <= 2 else {
            throw .invalid("too many limit value arguments - \(values), can only have up to two, `soft[:hard]`")
        }
        let hard = parts.count == 2 ? try GoValue.int64(parts[1], anyBase: false) : nil
        let soft = try GoValue.int64(parts[0], anyBase: false)
        try checkOrder(soft, hard ?? soft)
        return Spec.Rlimit(type: "RLIMIT_" + name.uppercased(), soft: try limit(soft), hard: try limit(hard ?? soft))
    }

    private static func checkOrder(_ soft: Int64, _ hard: Int64) throws(ValueError) {
        guard hard != -1 else { return }
        let rule = "ulimit soft limit must be less than or equal to hard limit"
        if soft == -1 { throw .invalid("\(rule): soft: -1 (unlimited), hard: \(hard)") }
        if soft > hard { throw .invalid("\(rule): \(soft) > \(hard)") }
    }

    private static func limit(_ value: Int64) throws(ValueError) -> UInt64 {
        if value == -1 { return .max }
        guard let result = UInt64(exactly: value) else {
            throw .invalid("invalid ulimit value: \(value): want -1 (unlimited) or more")
        }
        return result
    }
}
