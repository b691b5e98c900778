internal import Glibc
internal import Sys
internal import TestSupport
internal import Testing

/// A process in a container that types a command line into the terminal it was started from (TIOCSTI).
enum TypingAttack {
    /// `line` is a shell's, to which the attacker's program is appended; it runs in an interactive shell on a terminal.
    static func expectHarmless(_ line: String) throws {
        let scratch = try Scratch()
        let text = "touch \(scratch("injected")); echo injected-$((40+2))"
        try scratch.file("attack.sh", "\(line) /probe push '\(text)\n'\necho ended-$((1+1))\n\n")
        let terminal = try PseudoTerminal("/bin/sh", ["-i"])
        try terminal.type(". \(scratch("attack.sh"))\n")
        let said = try terminal.expect("ended-2", seconds: 30)
        #expect(said.contains("push.0=") && said.contains("push.2="), "\(said)")
        // All that was typed before this is executed before it.
        try terminal.type("echo later-$((2+2)); exit\n")
        try terminal.expect("later-4")
        _ = try terminal.wait()
        #expect(!terminal.transcript.contains("injected-42"), "\(terminal.transcript)")
        #expect(!File.exists(scratch("injected")))
    }
}
