internal import CAttack
internal import CLinux
internal import Glibc
internal import ImageWorker
internal import Sys

/// One thing that code which was taken over would try.
struct Attack {
    let name: String
    /// 0 and more, or the negative errno.
    let run: () -> Int

    init(_ name: String, _ run: @escaping () -> Int) {
        self.name = name
        self.run = run
    }

    /// A call of Sys's that throws.
    init(_ name: String, trying body: @escaping () throws(Errno) -> Void) {
        self.init(name) {
            do throws(Errno) {
                try body()
                return 0
            } catch {
                return -Int(error.rawValue)
            }
        }
    }

    /// `done`, or the errno's name.
    var outcome: String {
        let result = run()
        return result >= 0 ? "done" : Errno(rawValue: Int32(clamping: -result)).name
    }

    static func call(
        _ number: Int, _ a: Int = 0, _ b: Int = 0, _ c: Int = 0, _ d: Int = 0, _ e: Int = 0, _ f: Int = 0
    ) -> Int {
        cattack_call(number, a, b, c, d, e, f)
    }

    /// A call whose argument is a path.
    static func call(_ number: Int, path: String, _ body: (Int, Int) -> Int) -> Int {
        path.withCString { body(number, Int(bitPattern: $0)) }
    }
}

/// Where and against whom.
struct Targets {
    let seat: Seat
    private let values: [String: String]

    init(_ seat: Seat, _ arguments: some Sequence<String>) {
        self.seat = seat
        var values: [String: String] = [:]
        for argument in arguments {
            let parts = argument.split(separator: "=", maxSplits: 1).map(String.init)
            if parts.count == 2 { values[parts[0]] = parts[1] }
        }
        self.values = values
    }

    subscript(name: String) -> String { values[name] ?? "" }
    func number(_ name: String) -> Int { Int(self[name]) ?? 0 }
}
