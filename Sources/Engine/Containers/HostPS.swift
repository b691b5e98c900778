internal import Glibc
internal import Sys

/// The host's own `ps`, never one that an image brought: it runs outside of the container, found along the caller's PATH.
struct HostPS {
    /// More than any machine's processes.
    private static let outputLimit = 64 << 20

    private let path: String

    init() throws(EngineError) {
        for directory in (Environment["PATH"] ?? "/usr/bin:/bin").split(separator: ":") where directory.hasPrefix("/") {
            let candidate = "\(directory)/ps"
            if access(candidate, X_OK) == 0 {
                path = candidate
                return
            }
        }
        throw .invalid(
            "cannot run ps with options: this host has no ps in $PATH; install procps, or leave the options out")
    }

    /// What `ps OPTIONS` says of `pids`, by docker's rules: the output must have a column PID.
    func table(of pids: [Int32], options: [String]) throws(EngineError) -> ProcessTable {
        try HostPS.refuse(aliasesIn: options)
        // Some options can't be combined with a list of processes.
        let list = "-q" + pids.map(String.init).joined(separator: ",")
        var (output, errors, exit) = try run(options + [list])
        if exit != .code(0) { (output, errors, exit) = try run(options) }
        if exit != .code(0) {
            let line = ProcessEntry.printable(Array(errors.prefix { $0 != 0x0a }))
            throw .invalid("ps: \(line.isEmpty ? "it failed" : line)")
        }
        return try HostPS.parse(output, of: Set(pids))
    }

    /// A column that only calls itself PID would show other containers' processes: `-o sid=PID`.
    private static func refuse(aliasesIn options: [String]) throws(EngineError) {
        for option in options {
            for part in option.split(whereSeparator: { $0 == " " || $0 == "," }) {
                let (key, value) = (part.prefix { $0 != "=" }, part.drop { $0 != "=" }.dropFirst())
                if value.hasPrefix("PID"), key != "pid" {
                    throw .invalid("specifying \"\(key)=\(value)\" is not allowed")
                }
            }
        }
    }

    static func parse(_ output: [UInt8], of pids: Set<Int32>) throws(EngineError) -> ProcessTable {
        let blanks: Set<UInt8> = [0x20, 0x09, 0x0b, 0x0c, 0x0d]
        func fields(_ line: ArraySlice<UInt8>) -> [String] {
            line.split(whereSeparator: blanks.contains).map { ProcessEntry.printable(Array($0)) }
        }
        let lines = output.split(separator: 0x0a)
        let titles = lines.first.map(fields) ?? []
        guard let column = titles.firstIndex(of: "PID") else {
            throw .invalid("Couldn't find PID field in ps output")
        }
        var rows: [[String]] = []
        var isShown = false
        for line in lines.dropFirst() {
            let cells = fields(line)
            guard cells.count > column else { continue }
            // The threads of the process above (`ps m`) have no number of their own.
            if cells[column] != "-" {
                guard let pid = Int32(cells[column]) else {
                    throw .invalid("Unexpected pid '\(cells[column])': it is not a number")
                }
                isShown = pids.contains(pid)
            }
            guard isShown, cells.count >= titles.count else { continue }
            // The last column has blanks of its own.
            rows.append(cells.prefix(titles.count - 1) + [cells.dropFirst(titles.count - 1).joined(separator: " ")])
        }
        return ProcessTable(titles: titles, rows: rows)
    }

    private func run(_ arguments: [String]) throws(EngineError) -> ([UInt8], [UInt8], Spawn.Exit) {
        try call("run", path) { () throws(Errno) in
            let null = try File.open("/dev/null", O_RDONLY)
            let pipe = try Pipe()
            let errors = try Pipe()
            // What does not fit is dropped: nobody reads it before ps has ended.
            let full = errors.writer.raw
            try check { fcntl(full, F_SETFL, O_NONBLOCK) }
            // Variables of its own would change the columns (PS_FORMAT, COLUMNS).
            let kept = Environment.all.filter { entry in
                ["PATH=", "LANG=", "LC_", "TZ="].contains { entry.hasPrefix($0) }
            }
            let pid = try Spawn.start(
                [path] + arguments, environment: kept, input: null.raw, output: pipe.writer.raw,
                error: errors.writer.raw)
            let output = try read(pipe.keepReader(), of: pid)
            let exit = try Spawn.wait(pid)
            let complaint = errors.keepReader()
            return (output, try File.readAll(complaint.raw, limit: 1 << 20), exit)
        }
    }

    private func read(_ pipe: consuming OwnedFD, of pid: Int32) throws(Errno) -> [UInt8] {
        do throws(Errno) {
            return try File.readAll(pipe.raw, limit: HostPS.outputLimit)
        } catch {
            kill(pid, SIGKILL)
            _ = try Spawn.wait(pid)
            throw error
        }
    }
}
