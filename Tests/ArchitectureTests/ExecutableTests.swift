internal import Glibc
internal import Sys
internal import TestSupport
import Testing

/// The executables that users get.
@Suite struct ExecutableTests {
    static let release = "\(PackageTree.root)/.build/release"
    static let isBuilt = File.exists("\(release)/runimg") && File.exists("\(release)/runimg-image")

    @Test(.enabled(if: isBuilt, "needs the release build")) func runimgIsStatic() throws {
        #expect(try Self.programHeaderTypes("\(Self.release)/runimg").contains(Self.interpreter) == false)
        // The worker needs libcurl and its many libraries, so it can't be.
        #expect(try Self.programHeaderTypes("\(Self.release)/runimg-image").contains(Self.interpreter))
    }

    @Test(
        "the functions of usual commands lie side by side",
        .enabled(if: isBuilt && Conditions.has("nm"), "needs the release build and nm"))
    func functionsAreInOrder() throws {
        var addresses: [Substring: Int] = [:]
        for line in try Tool.check("nm", ["-n", "\(Self.release)/runimg"]).lines {
            let fields = line.split(separator: " ")
            guard fields.count == 3, let address = Int(fields[0], radix: 16) else { continue }
            // Local functions can share a name; the ordered one comes first.
            if addresses[fields[2]] == nil { addresses[fields[2]] = address }
        }
        let list = String(
            decoding: try File.readAll("\(PackageTree.root)/Sources/runimg/Link/functions.order"), as: UTF8.self)
        let listed = list.split(separator: "\n").filter { !$0.hasPrefix("#") }
        let found = listed.compactMap { addresses[$0] }.sorted()
        try #require(!found.isEmpty)
        #expect(found.count * 4 >= listed.count * 3, "\(found.count) of \(listed.count): `make order` measures anew")
        // Among them are a few objects of the toolchain's whose functions are one section. Without an order it is 17 MB.
        let span = found[found.count * 95 / 100] - found[0]
        #expect(span < 8 << 20, "\(span) bytes from the first to the last but for a twentieth")
    }

    /// PT_INTERP and PT_LOAD (elf(5)).
    private static let interpreter: UInt32 = 3
    private static let load: UInt32 = 1

    private static func programHeaderTypes(_ path: String) throws -> [UInt32] {
        let file = try File.open(path, O_RDONLY)
        let bytes = try File.bytes(file.raw, at: 0, count: 4096)
        #expect(Array(bytes.prefix(5)) == [0x7f, 0x45, 0x4c, 0x46, 2])
        func number(_ offset: Int, _ size: Int) -> Int {
            (0..<size).reduce(0) { $0 | Int(bytes[offset + $1]) << (8 * $1) }
        }
        // e_phoff, e_phentsize and e_phnum of a 64-bit ELF header.
        let start = number(32, 8)
        let types = (0..<number(56, 2)).map { UInt32(number(start + $0 * number(54, 2), 4)) }
        #expect(types.contains(load))
        return types
    }
}
