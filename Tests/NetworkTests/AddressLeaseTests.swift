import Glibc
import Network
import OCI
import Synchronization
import Sys
import TestSupport
import Testing

@Suite struct AddressLeaseTests {
    /// A place for leases and run directories of holders beside it.
    private struct Bench {
        let scratch: Scratch
        let leases: AddressLeases

        init() throws {
            scratch = try Scratch()
            leases = AddressLeases(directory: try scratch.directory("leases"))
        }

        func holder(_ name: String) throws -> String { try scratch.directory("run/\(name)") }

        func take(_ holder: String, _ range: String, reserved: Set<String> = [], wanted: String? = nil) throws -> String
        {
            let range = try #require(IPPrefix(range))
            let reserved = Set(reserved.compactMap { IPAddress($0) })
            let address = try leases.take(
                for: holder, from: range, reserved: reserved, wanted: wanted.flatMap { IPAddress($0) })
            return "\(address)"
        }
    }

    @Test func addressesComeInTurnAndAroundTheEnd() throws {
        let bench = try Bench()
        let one = try bench.holder("one")
        let reserved: Set = ["10.0.0.0", "10.0.0.1", "10.0.0.7"]
        #expect(try bench.take(one, "10.0.0.0/29", reserved: reserved) == "10.0.0.2")
        #expect(try bench.take(one, "10.0.0.0/29", reserved: reserved) == "10.0.0.3")
        try bench.leases.release(#require(IPAddress("10.0.0.2")), of: one)
        // Not the one that was given back just now.
        for last in 4...6 { #expect(try bench.take(one, "10.0.0.0/29", reserved: reserved) == "10.0.0.\(last)") }
        #expect(try bench.take(one, "10.0.0.0/29", reserved: reserved) == "10.0.0.2")
        #expect(throws: NetworkError.self) { try bench.take(one, "10.0.0.0/29", reserved: reserved) }
    }

    @Test func anAddressThatIsAskedForIsGivenOnce() throws {
        let bench = try Bench()
        let (one, other) = (try bench.holder("one"), try bench.holder("other"))
        #expect(try bench.take(one, "fd00::/64", wanted: "fd00::5") == "fd00::5")
        let failure = #expect(throws: NetworkError.self) { try bench.take(other, "fd00::/64", wanted: "fd00::5") }
        #expect(failure.map { "\($0)" } == "Address already in use: fd00::5 is container one's")
        // Somebody else's is not given back.
        try bench.leases.release(#require(IPAddress("fd00::5")), of: other)
        #expect(bench.leases.holders() == [one])
    }

    @Test("F17: the address of a dead holder is free, and the cursor may be torn")
    func theDeadHoldNothing() throws {
        let bench = try Bench()
        let (dead, other) = (try bench.holder("dead"), try bench.holder("other"))
        #expect(try bench.take(dead, "10.0.0.0/31") == "10.0.0.0")
        #expect(try bench.take(dead, "10.0.0.0/31") == "10.0.0.1")
        try Directory.removeTree(dead)
        try bench.scratch.file("leases/next", "10.0.")
        #expect(try bench.take(other, "10.0.0.0/31") == "10.0.0.0")
        #expect(try bench.take(other, "10.0.0.0/31", wanted: "10.0.0.1") == "10.0.0.1")
        #expect(bench.leases.holders() == [other])
    }

    @Test func noAddressIsGivenTwice() throws {
        let bench = try Bench()
        let taken = Mutex<[IPAddress]>([])
        let range = try #require(IPPrefix("10.9.0.0/20"))
        let holder = try bench.holder("one")
        let leases = bench.leases
        let takeMany: @Sendable () -> Void = {
            for _ in 0..<200 {
                guard let address = try? leases.take(for: holder, from: range, reserved: []) else { continue }
                taken.withLock { $0.append(address) }
            }
        }
        let one = try JoinableThread(takeMany)
        let other = try JoinableThread(takeMany)
        takeMany()
        one.join()
        other.join()
        let all = taken.withLock { $0 }
        #expect(all.count == 600 && Set(all).count == 600)
    }
}
