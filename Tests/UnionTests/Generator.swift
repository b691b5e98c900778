import Glibc
import Sys

/// SplitMix64: a seed gives the same scenario everywhere.
struct SeededGenerator: RandomNumberGenerator {
    private var state: UInt64

    init(seed: UInt64) { state = seed }

    mutating func next() -> UInt64 {
        state &+= 0x9e37_79b9_7f4a_7c15
        var value = state
        value = (value ^ (value >> 30)) &* 0xbf58_476d_1ce4_e5b9
        value = (value ^ (value >> 27)) &* 0x94d0_49bb_1331_11eb
        return value ^ (value >> 31)
    }
}

extension Scenario {
    /// Few names, so that layers and operations meet.
    init(seed: UInt64, marks: OverlayMarks) {
        var generator = ScenarioGenerator(seed: seed)
        let layers = (0..<generator.number(1...5)).map { _ in
            (0..<generator.number(0...14)).map { _ in generator.step() }
        }
        let operations = (0..<generator.number(5...40)).map { _ in generator.operation() }
        self.init(marks: marks, layers: layers, operations: operations)
    }
}

private struct ScenarioGenerator {
    private var random: SeededGenerator

    private static let names = ["a", "b", "c"]
    private static let modes: [UInt32] = [0o755, 0o644, 0o600, 0o4755, 0o2755, 0o1777, 0o700, 0]
    private static let owners: [UInt32] = [0, 1000, 65534]
    private static let targets = ["b", "../a", "/nowhere", "c/a"]

    init(seed: UInt64) { random = SeededGenerator(seed: seed) }

    mutating func number(_ range: ClosedRange<Int>) -> Int { Int.random(in: range, using: &random) }
    private mutating func chance(_ percent: Int) -> Bool { number(1...100) <= percent }
    private mutating func pick<T>(_ list: [T]) -> T { list[number(0...(list.count - 1))] }

    private mutating func path() -> String {
        (0..<pick([1, 1, 2, 2, 2, 3])).map { _ in pick(ScenarioGenerator.names) }.joined(separator: "/")
    }

    private mutating func place() -> Place { Place(path(), held: chance(15)) }

    mutating func step() -> LayerStep {
        switch number(1...100) {
        case ...35: .directory(path(), mode: pick(ScenarioGenerator.modes), isOpaque: chance(25))
        case ...60:
            .file(
                path(), mode: pick(ScenarioGenerator.modes), owner: pick(ScenarioGenerator.owners),
                size: pick([0, 1, 100, 5000]), hole: pick([0, 0, 0, 20_000]))
        case ...66: .symlink(path(), target: pick(ScenarioGenerator.targets))
        case ...71: .node(path(), pick([.fifo, .characterDevice, .socket]))
        case ...86: .whiteout(path())
        case ...93: .link(path(), to: path())
        default: .attribute(path(), pick(Attribute.all))
        }
    }

    mutating func operation() -> Operation {
        switch number(1...100) {
        case ...14: write()
        case ...17: .truncate(place(), Int64(pick([0, 1, 3000, 70_000])))
        case ...21: .chmod(place(), pick(ScenarioGenerator.modes))
        case ...25: .chown(place(), pick(ScenarioGenerator.owners), pick(ScenarioGenerator.owners + [UInt32.max]))
        case ...28: .touch(place(), pick([.now, .kept, .set(FileTime(seconds: 1_111_111_111, nanoseconds: 0))]))
        case ...36: attribute()
        case ...43: .link(place(), place())
        case ...46: .symlink(pick(ScenarioGenerator.targets), place())
        case ...62: .rename(place(), place(), pick([[], [], [], .noReplace, .exchange]))
        case ...70: .unlink(place())
        case ...78: .rmdir(place())
        case ...86: .mkdir(place(), pick(ScenarioGenerator.modes))
        case ...89: node()
        case ...91: .list(place())
        case ...94: .stat(place())
        case ...95: .read(place())
        case ...96: .readLink(place())
        default: .hold(place())
        }
    }

    private mutating func write() -> Operation {
        var flags: Int32 = pick([O_WRONLY, O_RDWR, O_RDONLY])
        if chance(60) { flags |= O_CREAT }
        if chance(15) { flags |= O_EXCL | O_CREAT }
        if chance(20) { flags |= O_TRUNC }
        if chance(20) { flags |= O_APPEND }
        return .write(
            place(), flags: flags, mode: pick(ScenarioGenerator.modes), offset: Int64(pick([0, 0, 50, 30_000])),
            count: pick([0, 1, 10, 6000]))
    }

    private mutating func attribute() -> Operation {
        let attribute = pick(Attribute.all)
        return switch number(1...10) {
        case ...6: .setAttribute(place(), attribute, pick([.none, .none, .create, .replace]))
        case ...7: .getAttribute(place(), attribute)
        case ...8: .listAttributes(place())
        default: .removeAttribute(place(), attribute)
        }
    }

    private mutating func node() -> Operation {
        let kind: FileStatus.Kind = pick([.fifo, .socket, .characterDevice, .blockDevice, .regular])
        let minor: UInt32 = pick([0, 3])
        return .mknod(
            place(), kind, pick(ScenarioGenerator.modes), major: minor == 0 ? 0 : 1, minor: minor)
    }
}
