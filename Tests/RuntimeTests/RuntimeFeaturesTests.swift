import OCI
import Rootfs
import Testing

@testable import Runtime

/// What is said to be known is taken, and all that the specification names is said.
@Suite struct RuntimeFeaturesTests {
    /// The table of config.md#linux-mount-options, without iversion, which is left to the file system.
    private static let specified = """
        async atime bind defaults dev diratime dirsync exec lazytime loud mand noatime nodev nodiratime noexec noiversion
        nolazytime nomand norelatime nostrictatime nosuid nosymfollow private ratime rbind rdev rdiratime relatime remount
        rexec rnoatime rnodev rnodiratime rnoexec rnorelatime rnostrictatime rnosuid rnosymfollow ro rprivate rrelatime rro
        rrw rshared rslave rstrictatime rsuid rsymfollow runbindable rw shared silent slave strictatime suid symfollow sync
        tmpcopyup unbindable idmap ridmap
        """

    @Test func allOptionsOfTheSpecificationAreKnown() {
        let words = Self.specified.split { $0 == " " || $0 == "\n" }.map(String.init)
        #expect(Set(words).subtracting(RuntimeFeatures.mountOptions) == [])
        #expect(Set(RuntimeFeatures.mountOptions).subtracting(words) == [])
        let passed = Set(MountOptions(words).data.map(\.name))
        #expect(passed == ["dirsync", "lazytime", "mand", "sync"])
    }

    @Test func allThatIsSaidIsTaken() throws {
        for action in RuntimeFeatures.seccompActions where action != SeccompNotification.action {
            let profile = Spec.Seccomp(defaultAction: action)
            let code = try SeccompCompiler.compile(profile)
            #expect(!code.isEmpty)
        }
        var profile = Spec.Seccomp(defaultAction: "SCMP_ACT_ALLOW")
        profile.flags = RuntimeFeatures.seccompFlags.filter { !$0.contains("WAIT_KILLABLE") }
        profile.architectures = RuntimeFeatures.seccompArchitectures
        profile.syscalls = RuntimeFeatures.seccompOperators.map { name in
            var rule = Spec.Seccomp.Rule(names: ["personality"], action: "SCMP_ACT_NOTIFY")
            rule.args = [.init(index: 0, value: 1, valueTwo: 1, op: name)]
            return rule
        }
        let code = try SeccompCompiler.compile(profile)
        #expect(code.count > 100)
        #expect(RuntimeFeatures.seccompOperators.count == 7 && RuntimeFeatures.namespaces.count == 8)
    }
}
