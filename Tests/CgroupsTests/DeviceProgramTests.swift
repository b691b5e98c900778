import Glibc
import OCI
import Sys
import TestSupport
import Testing

@testable import Cgroups

/// The eBPF filter of cgroup v2, in an interpreter and in the kernel.
@Suite struct DeviceProgramTests {
    /// Runs the instructions that `DeviceProgram` makes (linux/bpf.h).
    private func run(_ program: DeviceProgram, _ type: UInt32, _ access: UInt32, _ major: UInt32, _ minor: UInt32)
        -> Bool?
    {
        let context = [access << 16 | type, major, minor]
        var registers = [UInt32](repeating: 0xdead_beef, count: 10)
        var index = 0
        while index < program.instructions.count {
            let instruction = program.instructions[index]
            let (to, from) = (Int(instruction.registers & 15), Int(instruction.registers >> 4))
            let constant = UInt32(bitPattern: instruction.immediate)
            index += 1
            switch instruction.code {
            case 0x61: registers[to] = context[Int(instruction.offset) / 4]
            case 0xbc: registers[to] = registers[from]
            case 0xb4: registers[to] = constant
            case 0x54: registers[to] &= constant
            case 0x74: registers[to] >>= constant
            case 0x16: if registers[to] == constant { index += Int(instruction.offset) }
            case 0x56: if registers[to] != constant { index += Int(instruction.offset) }
            case 0x5e: if registers[to] != registers[from] { index += Int(instruction.offset) }
            case 0x95: return registers[0] == 1
            default: return nil
            }
        }
        return nil
    }

    private func program(_ rules: [Spec.DeviceRule]) throws -> DeviceProgram {
        DeviceProgram(rules: try rules.map { try DeviceRule($0) })
    }

    private let block: UInt32 = 1
    private let character: UInt32 = 2
    private let mknod: UInt32 = 1
    private let read: UInt32 = 2
    private let write: UInt32 = 4

    @Test func theLastRuleThatSpeaksDecides() throws {
        let program = try program([
            Spec.DeviceRule(allow: false, access: "rwm"),
            Spec.DeviceRule(allow: true, type: "c", access: "m"), Spec.DeviceRule(allow: true, type: "b", access: "m"),
            Spec.DeviceRule(allow: true, type: "c", major: 1, minor: 3, access: "rwm"),
            Spec.DeviceRule(allow: true, type: "c", major: 136, minor: -1, access: "rw"),
            Spec.DeviceRule(allow: true, type: "b", major: 8, access: "r"),
            Spec.DeviceRule(allow: false, type: "c", major: 136, minor: 9, access: "w"),
        ])
        #expect(run(program, character, read | write, 1, 3) == true)
        #expect(run(program, character, mknod, 1, 3) == true)
        #expect(run(program, character, read, 1, 5) == false)
        #expect(run(program, character, mknod, 1, 5) == true)
        #expect(run(program, block, mknod, 8, 0) == true)
        #expect(run(program, block, read, 8, 0) == true)
        #expect(run(program, block, read | write, 8, 0) == false)
        #expect(run(program, character, read | write, 136, 4) == true)
        #expect(run(program, character, read, 136, 9) == true)
        #expect(run(program, character, read | write, 136, 9) == false)
        #expect(run(program, block, read, 1, 3) == false)
    }

    @Test func everythingAllowedOrRefused() throws {
        #expect(run(try program([]), character, read, 1, 3) == false)
        #expect(run(try program([Spec.DeviceRule(allow: true)]), character, read, 1, 3) == true)
        #expect(
            run(try program([Spec.DeviceRule(allow: true), Spec.DeviceRule(allow: false)]), block, mknod, 8, 1) == false
        )
        let high = try program([Spec.DeviceRule(allow: true, type: "c", major: 4_294_967_295, minor: 0)])
        #expect(run(high, character, read, .max, 0) == true)
        #expect(run(high, character, read, 1, 0) == false)
    }

    @Test(arguments: [
        Spec.DeviceRule(allow: true, type: "x"), Spec.DeviceRule(allow: true, type: "c", major: 4_294_967_296),
        Spec.DeviceRule(allow: true, type: "c", major: -2), Spec.DeviceRule(allow: true, type: "c", minor: .min),
        Spec.DeviceRule(allow: true, access: "rx"), Spec.DeviceRule(allow: true, access: ""),
    ])
    func badRulesAreRefused(_ rule: Spec.DeviceRule) {
        #expect(throws: CgroupError.self) { try DeviceRule(rule) }
    }

    @Test func linesOfV1() throws {
        func lines(_ rule: Spec.DeviceRule) throws -> [String] { try DeviceRule(rule).lines }
        #expect(try lines(Spec.DeviceRule(allow: false)) == ["a"])
        #expect(try lines(Spec.DeviceRule(allow: false, type: "a", major: -1, minor: -1, access: "rwm")) == ["a"])
        #expect(try lines(Spec.DeviceRule(allow: true, type: "c", access: "m")) == ["c *:* m"])
        #expect(try lines(Spec.DeviceRule(allow: true, type: "b", major: 8, access: "wr")) == ["b 8:* rw"])
        #expect(try lines(Spec.DeviceRule(allow: true, major: 5, minor: 1)) == ["b 5:1 rwm", "c 5:1 rwm"])
    }

    @Test(.enabled(if: Machine.hasUnified, "needs root and cgroup v2")) func theKernelTakesTheProgram() throws {
        let fixture = try CgroupFixture()
        let cgroup = try fixture.make()
        let rules = try [
            Spec.DeviceRule(allow: false), Spec.DeviceRule(allow: true, type: "c", access: "m"),
            Spec.DeviceRule(allow: true, type: "c", major: 1, minor: 3, access: "rwm"),
            Spec.DeviceRule(allow: true, type: "c", major: 1, minor: 5, access: "r"),
        ].map { try DeviceRule($0) }
        let filter: OwnedFD
        do throws(Errno) {
            filter = try BPF.loadCgroupDevice(DeviceProgram(rules: rules).bytes)
        } catch {
            // Built without CONFIG_CGROUP_BPF.
            #expect(error == .invalid || error == .noSystemCall)
            return
        }
        let directory = try Directory.open(try fixture.directory(""))
        try BPF.attachCgroupDevice(filter.raw, to: directory.raw)
        let script = """
            for name in null zero urandom; do head -c1 /dev/$name >/dev/null 2>&1 && echo read $name; done
            for name in null zero; do (: >/dev/$name) 2>/dev/null && echo write $name; done
            """
        let shell = try ShellInCgroup(script, in: cgroup)
        #expect(try shell.finish().output == "read null\nread zero\nwrite null\n")
    }
}
