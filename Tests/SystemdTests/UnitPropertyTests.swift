import OCI
import Testing

@testable import Systemd

/// systemd.resource-control(5), and the annotations of runc's and crun's.
@Suite struct UnitPropertyTests {
    private func names(_ files: [String: String]) -> [String: DBusValue] {
        Dictionary(uniqueKeysWithValues: UnitProperty.of(files: files).map { ($0.name, $0.content) })
    }

    @Test func limitsOfVersion2() {
        let found = names([
            "memory.max": "67108864", "memory.low": "33554432", "memory.swap.max": "max", "memory.high": "60000000",
            "cpu.weight": "59", "cpu.max": "20000 50000", "pids.max": "17", "cpuset.cpus": "0-2,9",
            "cpuset.mems": "0", "io.weight": "200", "cpu.max.burst": "10", "hugetlb.2MB.max": "0",
        ])
        #expect(
            found == [
                "MemoryMax": .uint64(67_108_864), "MemoryLow": .uint64(33_554_432), "MemorySwapMax": .uint64(.max),
                "MemoryHigh": .uint64(60_000_000), "CPUWeight": .uint64(59), "CPUQuotaPerSecUSec": .uint64(400_000),
                "CPUQuotaPeriodUSec": .uint64(50_000), "TasksMax": .uint64(17),
                "AllowedCPUs": .bytes([0b111, 0b10]), "AllowedMemoryNodes": .bytes([1]), "IOWeight": .uint64(200),
            ])
    }

    @Test func limitsOfVersion1() {
        let found = names([
            "memory.limit_in_bytes": "-1", "cpu.shares": "512", "cpu.cfs_quota_us": "150000",
            "cpu.cfs_period_us": "100000", "pids.max": "max", "blkio.weight": "300", "memory.memsw.limit_in_bytes": "1",
        ])
        #expect(
            found == [
                "MemoryLimit": .uint64(.max), "CPUShares": .uint64(512), "CPUQuotaPerSecUSec": .uint64(1_500_000),
                "CPUQuotaPeriodUSec": .uint64(100_000), "TasksMax": .uint64(.max), "BlockIOWeight": .uint64(300),
            ])
    }

    @Test(arguments: [
        ("max 100000", UInt64.max), ("max", .max), ("20000", 200_000), ("1 100000", 10_000),
        ("33333 100000", 340_000), ("50000 100000", 500_000), ("18446744073709551615 1", .max), ("5 0", 10_000),
    ])
    func quotaIsInWholeHundredths(_ file: String, _ perSecond: UInt64) {
        #expect(names(["cpu.max": file])["CPUQuotaPerSecUSec"] == .uint64(perSecond))
    }

    @Test func aWeightOfNoneStandsForIdle() {
        #expect(names(["cpu.idle": "1", "cpu.weight": "100"]) == ["CPUWeight": .uint64(0)])
        #expect(names(["cpu.idle": "0"]).isEmpty)
        #expect(names(["cpuset.cpus": "4000000000", "pids.max": "many", "memory.max": "-2"]).isEmpty)
    }

    @Test(arguments: [
        ("true", DBusValue.boolean(true)), (" false ", .boolean(false)), ("5", .int32(5)), ("-5", .int32(-5)),
        ("1.5", .double(1.5)), ("uint64 123456789", .uint64(123_456_789)), ("uint32 0x10", .uint32(16)),
        ("byte 255", .byte(255)), ("int64 -1", .int64(-1)), ("int16 3", .int16(3)), ("uint16 3", .uint16(3)),
        ("double 2", .double(2)), ("'inactive-or-failed'", .string("inactive-or-failed")),
        ("\"it's\"", .string("it's")), ("'a\\'b\\n\\u00e4'", .string("a'b\nä")),
        ("['a', 'b']", .strings(["a", "b"])), ("@as []", .strings([])), ("@as ['x']", .strings(["x"])),
        ("[uint64 1, uint64 2]", .array(of: "t", [.uint64(1), .uint64(2)])), ("@t 7", .uint64(7)),
        ("objectpath '/a'", .objectPath("/a")),
        ("[[1], [2]]", .array(of: "ai", [.array(of: "i", [.int32(1)]), .array(of: "i", [.int32(2)])])),
    ])
    func valuesAreRead(_ text: String, _ value: DBusValue) { #expect(VariantText.parse(text) == value) }

    @Test(arguments: [
        "", "yes", "'open", "[]", "['a', 1]", "['a'", "['a',]", "uint64 -1", "uint64", "byte 256", "5 6", "5x", "nan",
        "1e999", "99999999999", "@ 5", "@s 5", "@q []", "{'a': 1}", "(1, 2)", "b'ytes'", "'\\u00'",
        String(repeating: "[", count: 5000), "'" + String(repeating: "x", count: 70_000) + "'",
    ])
    func whatIsNoValueIsRefused(_ text: String) { #expect(VariantText.parse(text) == nil) }

    @Test func annotationsBecomeProperties() throws {
        let found = try UnitProperty.of(annotations: [
            "org.systemd.property.TimeoutStopUSec": "uint64 123456789",
            "org.systemd.property.CollectMode": "'inactive'",
            "org.systemd.property.TimeoutStartSec": "1.5", "org.systemd.property.RuntimeMaxSec": "uint32 3",
            "org.systemd.propertyX": "x", "other": "5",
        ])
        #expect(
            found == [
                UnitProperty("CollectMode", .string("inactive")), UnitProperty("RuntimeMaxUSec", .uint64(3_000_000)),
                UnitProperty("TimeoutStartUSec", .uint64(1_500_000)),
                UnitProperty("TimeoutStopUSec", .uint64(123_456_789)),
            ])
    }

    @Test(arguments: [
        ("", "5"), ("A", "5"), ("Tasks Max", "5"), ("Tasks/Max", "5"), ("TasksMax", "many"), ("PIDs", "[uint32 1]"),
        ("Slice", "'x.slice'"), ("Delegate", "false"), ("RuntimeMaxSec", "'5'"), ("RuntimeMaxSec", "-1"),
        ("RuntimeMaxSec", "uint64 18446744073709551615"), ("RuntimeMaxSec", "-1.5"), ("RuntimeMaxSec", "1.0e300"),
    ])
    func wrongAnnotationsAreRefused(_ name: String, _ text: String) throws {
        let error = try #require(throws: SystemdError.self) {
            try UnitProperty.of(annotations: ["org.systemd.property.\(name)": text])
        }
        #expect("\(error)".contains("org.systemd.property"), "\(error)")
    }

    @Test func aUnitHasWhatAllHave() throws {
        let place = try UnitPlace(cgroupsPath: "a-b.slice:x:y", id: "c", isUser: false)
        let scope = UnitProperty.standard(place, id: "c", isLegacy: false)
        #expect(scope.contains(UnitProperty("Slice", .string("a-b.slice"))))
        #expect(UnitProperty.process(5) == UnitProperty("PIDs", .array(of: "u", [.uint32(5)])))
        #expect(scope.contains(UnitProperty("Delegate", .boolean(true))))
        #expect(scope.contains(UnitProperty("IOAccounting", .boolean(true))))
        let slice = UnitProperty.standard(
            try UnitPlace(cgroupsPath: "::a-b.slice", id: "c", isUser: false), id: "c", isLegacy: true)
        #expect(slice.contains(UnitProperty("Wants", .strings(["a.slice"]))))
        #expect(slice.contains(UnitProperty("BlockIOAccounting", .boolean(true))))
        #expect(!slice.contains { ["Slice", "PIDs", "Delegate"].contains($0.name) })
    }

    @Test func addresses() {
        func places(_ isUser: Bool, _ variables: [String: String]) -> [String] {
            SystemdPlace.all(isUser: isUser) { variables[$0] }.map { "\($0.path) \($0.isBus)" }
        }
        #expect(places(false, [:]) == ["/run/dbus/system_bus_socket true", "/run/systemd/private false"])
        #expect(
            places(false, ["DBUS_SYSTEM_BUS_ADDRESS": "tcp:host=x;unix:guid=1,path=/a%20b,x=y"])
                == ["/a b true", "/run/systemd/private false"])
        #expect(
            places(true, ["XDG_RUNTIME_DIR": "/run/user/5"])
                == ["/run/user/5/bus true", "/run/user/5/systemd/private false"])
        #expect(
            places(true, ["XDG_RUNTIME_DIR": "/r", "DBUS_SESSION_BUS_ADDRESS": "unix:path=/b"])
                == ["/b true", "/r/systemd/private false"])
        #expect(places(true, [:]).isEmpty)
        for address in ["unix:abstract=/x", "unix:path=%zz", "unix:path=/a%00", "unix:path=/a%2", "", "unix", ":"] {
            #expect(SystemdPlace.socket(in: address) == nil, "\(address)")
        }
    }
}
