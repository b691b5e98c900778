internal import CLinux

/// A table of nf_tables as it is to be: a value, which a transaction makes true and a dump is compared with.
struct RuleTable {
    /// NFPROTO_*: both versions of IP, each by itself, and what a bridge passes on.
    enum Family: UInt8 {
        case inet = 1
        case four = 2
        case bridge = 7
        case six = 10
    }

    let family: Family
    var sets: [RuleSet]
    var chains: [RuleChain]

    /// Of both families.
    static let name = "runimg"

    /// For people: `inet runimg`.
    var title: String { "\(family) \(RuleTable.name)" }
}

/// A part of a key or of a value.
enum RuleField {
    case interface, mac, four, six, transport, port

    /// The number that nft(8) knows it by, for those who list the table.
    var number: UInt32 {
        switch self {
        case .interface: 41
        case .mac: 9
        case .four: 7
        case .six: 8
        case .transport: 12
        case .port: 13
        }
    }

    /// Bytes in a register, whose words are of four.
    var size: Int {
        switch self {
        case .interface, .six: 16
        case .mac: 8
        case .four, .transport, .port: 4
        }
    }
}

/// A set, or a map where it has values.
struct RuleSet {
    let name: String
    let key: [RuleField]
    var value: [RuleField] = []
    var elements: Set<RuleElement> = []
}

/// Bytes as they lie in registers.
struct RuleElement: Hashable {
    var key: [UInt8]
    var value: [UInt8] = []
}

struct RuleChain {
    /// Where the kernel enters it.
    struct Hook: Hashable {
        let number: UInt32
        let priority: Int32
        let type: String
    }

    let name: String
    var hook: Hook?
    var rules: [Rule] = []
    /// Its rules speak of different things, so their order does not matter: networks come and go.
    var isUnordered = false
}

extension [RuleField] {
    var size: Int { reduce(0) { $0 + $1.size } }
    /// A concatenation's number is made of its parts'.
    var number: UInt32 { reduce(0) { $0 << 6 | $1.number } }
}

extension [UInt8] {
    /// A name in the 16 bytes that the kernel has for an interface's.
    static func interface(_ name: String) -> [UInt8] {
        Array((Array(name.utf8) + Array(repeating: 0, count: 16)).prefix(16))
    }

    /// Filled up to whole words.
    var words: [UInt8] { self + Array(repeating: 0, count: (4 - count % 4) % 4) }
}
