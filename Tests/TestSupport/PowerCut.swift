internal import Glibc
internal import Sys

/// Commands on a disk whose power is cut: after their end, or in the middle. What was not synced is gone then.
package struct PowerCut: Sendable {
    package let disk: LoopDisk

    package struct Outcome: Sendable, CustomStringConvertible {
        /// The command's exit status; nil when the cut came before its end.
        package let status: Int32?
        /// The data root after the power came back; nil when not even its directory is left.
        package let dataRoot: String?
        /// What the command had said by then.
        package let output: String

        package var description: String { "status \(status.map(String.init) ?? "none"): \(output)" }
    }

    package init(megabytes: Int = 512) throws { disk = try LoopDisk(megabytes: megabytes) }

    /// Runs the command line to its end and cuts the power `seconds` later. `commit` is ext4's interval between writes
    /// of its journal: after it the names are on disk, and the data of unsynced files is not for half a minute more.
    package func after(
        _ command: [String], input: [UInt8] = [], seconds: Double = 0, commit: Int = 5, setUp: String = ""
    ) throws -> Outcome {
        try cut(command, input, setUp, commit: commit) {
            """
            "$@" < "$input" > "$output" 2>&1
            echo $? > "$result"
            sleep \(seconds)
            cut_power
            """
        }
    }

    /// Cuts the power `seconds` after the command was started, whether it is still at work or not. A command that
    /// exits with 0 even so has promised that its work survives.
    package func during(
        _ command: [String], input: [UInt8] = [], seconds: Double, commit: Int = 5, setUp: String = ""
    ) throws -> Outcome {
        try cut(command, input, setUp, commit: commit) {
            """
            setsid sh -c 'result=$1; shift; "$@"; echo $? > "$result"' sh "$result" "$@" \\
                < "$input" > "$output" 2>&1 &
            sleep \(seconds)
            cut_power
            for i in 1 2 3 4 5 6 7 8 9 10; do
                test -s "$result" && break
                sleep 0.1
            done
            test -s "$result" || perl -e 'kill KILL => -$ARGV[0]' $!
            wait
            """
        }
    }

    /// `setUp` is a script that runs before the command; what it did is synced.
    private func cut(
        _ command: [String], _ input: [UInt8], _ setUp: String, commit: Int, _ work: () -> String
    ) throws -> Outcome {
        let name = Random.hex(bytes: 4)
        let scratch = disk.scratch
        try scratch.file("input-\(name)", input)
        let script =
            "input=$2; output=$3; result=$4; shift 4\n"
            + (setUp.isEmpty ? "" : "\(setUp)\nsync -f \"$disk\"\n") + work()
        try disk.check(
            script, [scratch("input-\(name)"), scratch("output-\(name)"), scratch("result-\(name)")] + command,
            options: "commit=\(commit)")
        func text(_ file: String) -> String {
            String(decoding: (try? File.readAll(scratch("\(file)-\(name)"))) ?? [], as: UTF8.self)
        }
        return Outcome(
            status: Int32(text("result").prefix { $0 != "\n" }), dataRoot: try disk.recovered(), output: text("output"))
    }
}
