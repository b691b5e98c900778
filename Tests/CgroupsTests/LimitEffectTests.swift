import Cgroups
import OCI
import Sys
import TestSupport
import Testing

/// Limits at work, whatever the version.
@Suite(.enabled(if: Machine.isRoot, "needs root")) struct LimitEffectTests {
    @Test(.enabled(if: Machine.hasCpuset, "needs the cpuset controller")) func cpuset() throws {
        let fixture = try CgroupFixture()
        let cgroup = try fixture.make {
            var cpu = Spec.CPU()
            cpu.cpus = "0"
            $0.cpu = cpu
        }
        let shell = try ShellInCgroup("grep Cpus_allowed_list /proc/self/status", in: cgroup)
        let output = try shell.finish().output
        #expect(output.split(whereSeparator: { $0 == "\t" || $0 == "\n" }).last == "0")
    }

    @Test(.enabled(if: Machine.hasDevices, "needs device control")) func devices() throws {
        let fixture = try CgroupFixture()
        let cgroup = try fixture.make {
            $0.devices = [
                Spec.DeviceRule(allow: false, access: "rwm"),
                Spec.DeviceRule(allow: true, type: "c", major: 1, minor: 3, access: "rwm"),
                Spec.DeviceRule(allow: true, type: "c", major: 1, minor: 5, access: "r"),
                Spec.DeviceRule(allow: true, type: "c", major: 136, access: "rw"),
            ]
        }
        if Machine.isV1 {
            #expect(try fixture.value("devices", "devices.list") == "c 1:3 rwmc 1:5 rc 136:* rw")
        }
        let script = """
            for name in null zero urandom; do head -c1 /dev/$name >/dev/null 2>&1 && echo read $name; done
            for name in null zero; do (: >/dev/$name) 2>/dev/null && echo write $name; done
            """
        let shell = try ShellInCgroup(script, in: cgroup)
        #expect(try shell.finish().output == "read null\nread zero\nwrite null\n")
    }

    @Test(.enabled(if: Machine.hasCPU, "needs the cpu controller")) func whatTheKernelRefusesIsUndone() throws {
        let fixture = try CgroupFixture()
        do {
            _ = try fixture.make {
                var cpu = Spec.CPU()
                cpu.quota = 1
                $0.cpu = cpu
            }
            Issue.record("a quota of one microsecond was accepted")
        } catch {
            let text = "\(error)"
            #expect(text.hasPrefix("cannot apply CPU limit (--cpus, --cpu-quota): write \"1\" to "), "\(text)")
            #expect(text.contains("EINVAL"))
        }
        #expect(fixture.isThere == false)
    }

    @Test(.enabled(if: Machine.hasCpuset, "needs the cpuset controller")) func missingCPUsAreNamed() throws {
        let fixture = try CgroupFixture()
        do {
            _ = try fixture.make {
                var cpu = Spec.CPU()
                cpu.cpus = "0,4000"
                $0.cpu = cpu
            }
            Issue.record("CPU 4000 was accepted")
        } catch {
            #expect("\(error)".hasPrefix("invalid CPU set (--cpuset-cpus): 0,4000 is asked for, available is 0"))
        }
        #expect(fixture.isThere == false)
    }
}
