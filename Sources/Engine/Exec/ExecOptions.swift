/// What `exec` is asked for: a further process, as far as it is to differ from the container's first.
package struct ExecOptions: Sendable {
    package var command: [String] = []
    package var environment: [EnvironmentEntry] = []
    package var environmentFiles: [String] = []
    /// `USER[:GROUP]`; nil: the container's.
    package var user: String?
    /// nil: the container's.
    package var workingDirectory: String?
    /// All capabilities, and no filter.
    package var privileged = false
    package var interactive = false
    package var terminal = false
    package var detach = false
    /// Let go of a process with a terminal; nil: docker's.
    package var detachKeys: String?

    package init() {}
}
