internal import Engine

/// A unit of systemd's (systemd.unit(5), systemd.service(5)), in the form that `generate systemd` prints.
package struct SystemdUnit: Sendable, Hashable {
    /// The program and its global flags.
    package var program: [String] = []
    /// Absolute.
    package var dataRoot = ""
    package var version = ""
    package var hasHeader = true
    package var after: [String] = []
    package var wants: [String] = []
    package var requires: [String] = []
    /// `NAME=VALUE`.
    package var environment: [String] = []
    package var restart = "on-failure"
    /// Seconds, as all of these.
    package var restartSeconds: Int64?
    package var startTimeout: Int64?
    package var stopTimeout: Int64?

    package static let restartWords = [
        "no", "on-success", "on-failure", "on-abnormal", "on-watchdog", "on-abort", "always",
    ]
    package static let bootName = "runimg-restart.service"
    private static let defaultStopTimeout: Int64 = 10
    /// What systemd waits longer than the program does.
    private static let margin: Int64 = 60
    /// For all containers, one after the other.
    private static let shutdownTimeout: Int64 = 300

    package init() {}

    /// One container below systemd, which sees its end and its exit code. `container` is what it is asked for by.
    package func service(_ name: String, container: String, called label: String) -> String {
        let stop = stopTimeout ?? Self.defaultStopTimeout
        var lines = header(name) + unitSection("Container \(label) of runimg", "runimg-generate-systemd")
        lines += ["", "[Service]", "Type=exec"] + environment.map { "Environment=\(Self.quoted($0, dollars: false))" }
        lines.append("Restart=\(restart)")
        if let restartSeconds { lines.append("RestartSec=\(restartSeconds)") }
        if let startTimeout { lines.append("TimeoutStartSec=\(startTimeout)") }
        lines.append("TimeoutStopSec=\(stop + Self.margin)")
        lines.append("ExecStart=" + command(["start", "--attach", container]))
        lines.append("ExecStop=" + command(["stop", "--timeout", "\(stop)", container]))
        // A program that a stop's SIGTERM ends has not failed.
        lines.append("SuccessExitStatus=143")
        return (lines + ["", "[Install]", "WantedBy=default.target"]).joined(separator: "\n") + "\n"
    }

    /// All containers that are to run after a boot.
    package func boot() -> String {
        var lines = header(Self.bootName) + unitSection("Containers of runimg that run after a boot", "runimg-start")
        lines += ["", "[Service]", "Type=oneshot", "RemainAfterExit=yes"]
        lines += environment.map { "Environment=\(Self.quoted($0, dollars: false))" }
        lines.append("TimeoutStartSec=\(startTimeout.map { "\($0)" } ?? "infinity")")
        lines.append(
            "ExecStart="
                + command([
                    "start", "--all", "--filter", "restart-policy=always", "--filter", "restart-policy=unless-stopped",
                ]))
        lines += ["ExecStop=" + command(["stop", "--all", "--until-boot"]), "TimeoutStopSec=\(Self.shutdownTimeout)"]
        return (lines + ["", "[Install]", "WantedBy=default.target"]).joined(separator: "\n") + "\n"
    }

    private func header(_ name: String) -> [String] {
        hasHeader ? ["# \(name)", "# Written by runimg \(version)", ""] : []
    }

    private func unitSection(_ description: String, _ page: String) -> [String] {
        var lines = ["[Unit]", "Description=\(description)", "Documentation=man:\(page)(1)"]
        lines.append("Wants=" + (["network-online.target"] + wants).joined(separator: " "))
        if !requires.isEmpty { lines.append("Requires=" + requires.joined(separator: " ")) }
        lines.append("After=" + (["network-online.target"] + after).joined(separator: " "))
        lines.append("RequiresMountsFor=\(Self.quoted(dataRoot, dollars: false)) /run/runimg")
        return lines
    }

    private func command(_ words: [String]) -> String {
        let root = dataRoot == Engine.defaultDataRoot ? [] : ["--data-root", dataRoot]
        return (program + root + words).map { Self.quoted($0, dollars: true) }.joined(separator: " ")
    }

    /// A word as systemd.syntax(7) and systemd.service(5) read it: quoted where it must be, specifiers and, in command
    /// lines, variables doubled so that they stand for themselves.
    static func quoted(_ word: String, dollars: Bool) -> String {
        var result = ""
        for byte in word.utf8 {
            switch byte {
            case UInt8(ascii: "%"): result += "%%"
            case UInt8(ascii: "$") where dollars: result += "$$"
            case UInt8(ascii: "\\"): result += "\\\\"
            case UInt8(ascii: "\""): result += "\\\""
            case 0..<0x20, 0x7F...: result += "\\x" + (byte < 16 ? "0" : "") + String(byte, radix: 16)
            default: result.unicodeScalars.append(Unicode.Scalar(byte))
            }
        }
        let isPlain = !word.isEmpty && result.utf8.allSatisfy { $0 != UInt8(ascii: " ") && !"\"';\\".utf8.contains($0) }
        return isPlain ? result : "\"\(result)\""
    }

    /// What names of units are made of (systemd.unit(5)), but for `@`, which makes templates.
    static func isNamePart(_ text: String) -> Bool {
        text.utf8.allSatisfy { byte in
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"):
                true
            default: ":-_.\\".utf8.contains(byte)
            }
        }
    }
}
