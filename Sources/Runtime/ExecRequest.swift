package import OCI

/// A further process for a running container: what `Launcher.plan` compiles, and `Launcher.start` carries out beside the
/// container's first process.
package struct ExecRequest: Sendable {
    /// The container's.
    package var id: String
    package var process: Spec.Process
    /// The container's filter; nil for none.
    package var seccomp: Spec.Seccomp?
    /// Whether the container has a user or time namespace of its own; the others are always joined.
    package var joinsUserNamespace = false
    /// Of the others those that are the host's and that the caller has no right to join: it is in them anyway.
    package var hosts: NamespaceFlags = []
    package var joinsTimeNamespace = false
    /// setgroups(2) is denied (user_namespaces(7)).
    package var keepsGroups = false
    /// The container's.
    package var personality: Spec.Personality?
    package var newKeyring = true
    /// Ignored where the process has a terminal.
    package var stdio = StandardIO.inherited
    /// The file to execute, where that is another one than the command's name says.
    package var executable: String?
    /// Set where another runtime has made the container, and makes this process: what is not in `process` it knows.
    package var external: ExternalProcess?
    /// No gate.
    package var passed = PassedDescriptors()
    /// SIGKILL for it when the launching thread's process ends; one that outlives it belongs to the host's init.
    package var diesWithParent = true

    package init(id: String, process: Spec.Process, seccomp: Spec.Seccomp?) {
        self.id = id
        self.process = process
        self.seccomp = seccomp
    }
}
