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
