internal import Glibc
internal import Sys

/// The firewall before nf_tables, where it is in use: only its own program can change it.
struct LegacyTables {
    let family: RuleTable.Family
    let program: String
    /// Where the kernel lists the tables that are in use, in the calling thread's namespace.
    private let list: String

    static let all = [
        LegacyTables(family: .four, program: "iptables", list: "/proc/thread-self/net/ip_tables_names"),
        LegacyTables(family: .six, program: "ip6tables", list: "/proc/thread-self/net/ip6_tables_names"),
    ]

    private static let places = ["/usr/sbin", "/sbin", "/usr/local/sbin", "/usr/bin"]

    private var isInUse: Bool {
        guard let bytes = try? File.readAll(list, limit: 4096) else { return false }
        return String(decoding: bytes, as: UTF8.self).split(separator: "\n").contains("filter")
    }

    /// Debian's name for it, then the one of where there is no other.
    private var path: String? {
        ["\(program)-legacy", program].lazy.flatMap { name in LegacyTables.places.map { "\($0)/\(name)" } }
            .first { access($0, X_OK) == 0 }
    }

    /// False where nothing had to be done, or nothing can be.
    func open(_ bridges: [String]) throws(NetworkError) -> Bool {
        guard isInUse, let path else { return false }
        var hasChanged = false
        for rule in bridges.flatMap(LegacyTables.rules) where try !run(path, ["-C"] + rule) {
            guard try run(path, ["-I"] + rule) else {
                throw .noFirewall("\(path) refused a rule for \(rule[2])")
            }
            hasChanged = true
        }
        return hasChanged
    }

    func close(_ bridge: String) throws(NetworkError) {
        guard isInUse, let path else { return }
        for rule in LegacyTables.rules(bridge) where try run(path, ["-C"] + rule) { _ = try run(path, ["-D"] + rule) }
    }

    private static func rules(_ bridge: String) -> [[String]] {
        [["FORWARD", "-i", bridge, "-j", "ACCEPT"], ["FORWARD", "-o", bridge, "-j", "ACCEPT"]]
    }

    /// Whether it succeeded.
    private func run(_ path: String, _ arguments: [String]) throws(NetworkError) -> Bool {
        do throws(Errno) {
            let null = try File.open("/dev/null", O_RDWR)
            let pid = try Spawn.start(
                [path, "-w"] + arguments, environment: [], input: null.raw, output: null.raw, error: null.raw)
            _ = consume null
            return try Spawn.wait(pid) == .code(0)
        } catch {
            throw .system(SystemFailure("start", path, error))
        }
    }
}
