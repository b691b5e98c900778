internal import OCI
internal import Sys

extension Spec.Process {
    var asksForLabels: Bool { apparmorProfile != nil || selinuxLabel != nil }
}

extension Spec {
    var asksForLabels: Bool { process.asksForLabels || linux.mountLabel != nil }
}

/// Which security modules of the kernel label processes: read before, so that compiling is pure.
package struct SecurityModules: Hashable, Sendable {
    /// The file of /proc/self that takes AppArmor's profile for the next exec; nil where that is off.
    package var appArmor: String?
    package var hasSELinux = false

    package init(appArmor: String? = nil, hasSELinux: Bool = false) {
        self.appArmor = appArmor
        self.hasSELinux = hasSELinux
    }

    package static func current() -> SecurityModules {
        var result = SecurityModules(hasSELinux: File.exists("/sys/fs/selinux/enforce"))
        guard let state = try? File.readAll("/sys/module/apparmor/parameters/enabled", limit: 8),
            state.first == UInt8(ascii: "Y")
        else { return result }
        let own = "/proc/self/attr/apparmor/exec"
        result.appArmor = File.exists(own) ? own : "/proc/self/attr/exec"
        return result
    }

    /// What a process writes to which file so that its next exec has the labels that the spec asks for; nil for none.
    /// Asked for and not done would be a hole.
    func label(_ process: Spec.Process) throws(RuntimeError) -> (file: String, text: String)? {
        let profile = process.apparmorProfile ?? ""
        let label = process.selinuxLabel ?? ""
        if !label.isEmpty {
            if !hasSELinux {
                throw .invalid("the SELinux label \(label) of the process: SELinux is not enabled on this host")
            }
            if !profile.isEmpty, appArmor != nil {
                throw .invalid("an AppArmor profile and an SELinux label for one process")
            }
            return ("/proc/self/attr/exec", label)
        }
        if profile.isEmpty || (profile == "unconfined" && appArmor == nil) { return nil }
        guard let appArmor else {
            throw .invalid("the AppArmor profile \(profile): AppArmor is not enabled on this host")
        }
        return (appArmor, "exec \(profile)")
    }
}
