import OCI
import Testing

/// What is refused, and that it is named by its path.
@Suite struct SpecFaultTests {
    static let cases: [(path: String, value: String, fault: String)] = [
        ("ociVersion", "null", "ociVersion: is missing"), ("ociVersion", "1", "ociVersion: 1 is not a string"),
        ("ociVersion", "\"2.0.0\"", "ociVersion: \"2.0.0\" is not supported: versions 1.x are"),
        ("ociVersion", "\"0.9.0\"", "ociVersion: \"0.9.0\" is not supported: versions 1.x are"),
        ("ociVersion", "\"1.0\"", "ociVersion: \"1.0\" is not a version such as 1.2.0"),
        ("ociVersion", "\"1.x.0\"", "ociVersion: \"1.x.0\" is not a version such as 1.2.0"),
        ("root", "null", "root: is missing"), ("root", "{}", "root.path: is missing"),
        ("root.path", "\"\"", "root.path: is empty"), ("root", "[]", "root: a list is not an object"),
        ("root.readonly", "\"yes\"", "root.readonly: \"yes\" is neither true nor false"),
        ("process.cwd", "null", "process.cwd: is missing"),
        ("process.cwd", "\"tmp\"", "process.cwd: \"tmp\" is not an absolute path"),
        ("process.args", "null", "process.args: is missing"),
        ("process.args", "[]", "process.args: is empty: the first one is the program"),
        ("process.args", "[\"a\",7]", "process.args[1]: 7 is not a string"),
        ("process.args", "[\"a\\u0000b\"]", "process.args[0]: \"aU+0000b\" has a NUL in it"),
        ("process.env", "[\"A=1\",\"B\"]", "process.env[1]: \"B\" is not NAME=VALUE"),
        ("process.env", "[\"=1\"]", "process.env[0]: \"=1\" is not NAME=VALUE"),
        ("process.user.uid", "\"root\"", "process.user.uid: \"root\" is not a whole number"),
        ("process.user.uid", "4294967296", "process.user.uid: 4294967296 is not between 0 and 4294967295"),
        ("process.user.umask", "512", "process.user.umask: 512 is above 511, which is 0777"),
        ("process.consoleSize", #"{"height":70000,"width":1}"#, "process.consoleSize.height: 70000 is not between 0"),
        ("process.capabilities.bounding", "{}", "process.capabilities.bounding: an object is not a list"),
        ("process.oomScoreAdj", "1001", "process.oomScoreAdj: 1001 is not between -1000 and 1000"),
        (
            "process.rlimits",
            #"[{"type":"RLIMIT_CPU","soft":1,"hard":1},{"type":"RLIMIT_CPU","soft":2,"hard":2}]"#,
            "process.rlimits[1].type: RLIMIT_CPU is there twice"
        ),
        ("process.rlimits", #"[{"type":"RLIMIT_CPU","soft":1}]"#, "process.rlimits[0].hard: is missing"),
        (
            "process.ioPriority", #"{"class":"IOPRIO_CLASS_NONE","priority":1}"#,
            "process.ioPriority.class: \"IOPRIO_CLASS_NONE\" is not one of IOPRIO_CLASS_RT, IOPRIO_CLASS_BE"
        ),
        (
            "process.ioPriority", #"{"class":"IOPRIO_CLASS_RT","priority":8}"#,
            "process.ioPriority.priority: 8 is not between 0 and 7"
        ),
        (
            "process.scheduler", #"{"policy":"SCHED_X"}"#,
            "process.scheduler.policy: \"SCHED_X\" is not one of SCHED_OTHER"
        ),
        (
            "process.scheduler", #"{"policy":"SCHED_FIFO","flags":["SCHED_FLAG_X"]}"#,
            "process.scheduler.flags[0]: \"SCHED_FLAG_X\" is not one of"
        ),
        (
            "process.execCPUAffinity", #"{"initial":"0, 1"}"#,
            "process.execCPUAffinity.initial: \"0, 1\" is not a list of numbers and ranges such as 0-2,7"
        ),
        ("mounts", "[{},{}]", "mounts[0].destination: is missing"),
        ("mounts", #"[{"destination":"/a"},null]"#, "mounts[1]: null is not an object"),
        ("mounts", #"[{"destination":""}]"#, "mounts[0].destination: is empty"),
        (
            "mounts", #"[{"destination":"/a","uidMappings":[{"containerID":0,"hostID":1,"size":1}]}]"#,
            "mounts[0].gidMappings: is missing: both or none are given"
        ),
        ("hooks.poststop", #"[{"path":"bin/x"}]"#, "hooks.poststop[0].path: \"bin/x\" is not an absolute path"),
        ("hooks.prestart", #"[{"path":"/x","timeout":0}]"#, "hooks.prestart[0].timeout: 0 is not above 0"),
        ("annotations", #"{"":"x"}"#, "annotations: has an empty key"),
        ("annotations", #"{"a":1}"#, "annotations.a: 1 is not a string"),
        ("linux.namespaces", #"[{"type":"net"}]"#, "linux.namespaces[0].type: \"net\" is no kind of namespace"),
        ("linux.namespaces", #"[{"type":"pid"},{"type":"pid"}]"#, "linux.namespaces[1].type: \"pid\" is there twice"),
        (
            "linux.namespaces", #"[{"type":"pid","path":"proc/1"}]"#,
            "linux.namespaces[0].path: \"proc/1\" is not an absolute path"
        ),
        (
            "linux.devices", #"[{"path":"dev/x","type":"c"}]"#,
            "linux.devices[0].path: \"dev/x\" is not an absolute path"
        ),
        ("linux.devices", #"[{"path":"/dev/x","type":"d"}]"#, "linux.devices[0].type: \"d\" is not one of c, b, u, p"),
        (
            "linux.devices", #"[{"path":"/dev/x","type":"c","major":-1}]"#,
            "linux.devices[0].major: -1 is not between 0 and 4294967295"
        ),
        (
            "linux.resources.memory.limit", "\"x\"", "linux.resources.memory.limit: \"x\" is not a whole number"
        ),
        ("linux.resources.memory.limit", "1.5", "linux.resources.memory.limit: 1.5 is not a whole number"),
        (
            "linux.resources.memory.limit", "9223372036854775808",
            "linux.resources.memory.limit: 9223372036854775808 is not between -9223372036854775808 and"
        ),
        ("linux.resources.memory.limit", "1e400", "linux.resources.memory.limit: 1e400 is not between"),
        ("linux.resources.cpu.shares", "-1", "linux.resources.cpu.shares: -1 is not between 0 and"),
        ("linux.resources.blockIO.weight", "65536", "linux.resources.blockIO.weight: 65536 is not between 0 and 65535"),
        ("linux.resources.devices", #"[{"type":"a"}]"#, "linux.resources.devices[0].allow: is missing"),
        ("linux.rootfsPropagation", "\"public\"", "linux.rootfsPropagation: \"public\" is not one of shared"),
        ("linux.personality", #"{"domain":"BSD"}"#, "linux.personality.domain: \"BSD\" is not one of LINUX, LINUX32"),
        (
            "linux.personality", #"{"domain":"LINUX","flags":["ADDR_NO_RANDOMIZE"]}"#,
            "linux.personality.flags: no flag is supported"
        ),
        ("linux.timeOffsets", #"{"realtime":{"secs":1}}"#, "linux.timeOffsets: \"realtime\" is not one of monotonic"),
        (
            "linux.timeOffsets", #"{"boottime":{"secs":1,"nanosecs":1000000000}}"#,
            "linux.timeOffsets.boottime.nanosecs: 1000000000 is a second or more"
        ),
        ("linux.sysctl", #"{"a.b":5}"#, "linux.sysctl.a.b: 5 is not a string"),
        ("linux.maskedPaths", #"["proc"]"#, "linux.maskedPaths[0]: \"proc\" is not an absolute path"),
        ("linux.seccomp", "{}", "linux.seccomp.defaultAction: is missing"),
        (
            "linux.seccomp", #"{"defaultAction":"SCMP_ACT_ALLOW","syscalls":[{"names":[],"action":"SCMP_ACT_ALLOW"}]}"#,
            "linux.seccomp.syscalls[0].names: is empty"
        ),
        (
            "linux.seccomp", #"{"defaultAction":"SCMP_ACT_ALLOW","listenerMetadata":"m"}"#,
            "linux.seccomp.listenerMetadata: is set and listenerPath is not: nobody would get it"
        ),
        ("linux.intelRdt", #"{"closID":"x"}"#, "linux.intelRdt: resctrl is not supported: leave the object out"),
        ("linux.netDevices", #"{"eth0":{}}"#, "linux.netDevices: moving network devices is not supported"),
        ("linux.memoryPolicy", #"{"mode":"MPOL_BIND"}"#, "linux.memoryPolicy: set_mempolicy(2) is not supported"),
        ("windows", "{}", "linux: is missing: the container is described for \"windows\""),
    ]

    @Test(arguments: cases.indices) func isNamed(index: Int) throws {
        let (path, value, fault) = SpecFaultTests.cases[index]
        let text = try SpecReadingTests.text(path, value)
        do throws(FieldFault) {
            _ = try Spec(reading: text)
            Issue.record("accepted: \(path) = \(value)")
        } catch {
            #expect(error.description.hasPrefix(fault), "\(error)")
        }
    }

    @Test(arguments: ["", "[]", "7", "{", "null", "{\"ociVersion\":\"1.0.0\",\"ociVersion\":\"1.0.0\"}"])
    func whatIsNoDocumentIsRefused(text: String) {
        #expect(throws: FieldFault.self) { try Spec(reading: Array(text.utf8)) }
        #expect(throws: FieldFault.self) { try Spec.Process(reading: Array(text.utf8)) }
    }

    /// What a stranger wrote into a key or value can't steer a terminal.
    @Test func messagesAreOneLineOfPlainText() throws {
        let text = #"{"ociVersion":"1.0.0","root":{"path":"r"},"annotations":{"a\u001b[2J\n":7}}"#
        do throws(FieldFault) {
            _ = try Spec(reading: Array(text.utf8))
            Issue.record("accepted")
        } catch {
            #expect(error.description == "annotations.aU+001B[2JU+000A: 7 is not a string")
        }
    }
}
