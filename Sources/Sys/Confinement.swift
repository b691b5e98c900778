internal import CLinux
internal import Glibc

/// Rights that a thread gives up for good, for itself and for all threads that it starts afterwards: what a program
/// that reads strangers' bytes can still do once it was taken over. Files and ports are Landlock's.
package enum Confinement {
    /// Capabilities by the numbers of capabilities(7).
    package struct Capabilities: OptionSet, Hashable, Sendable {
        package let rawValue: UInt64
        package init(rawValue: UInt64) { self.rawValue = rawValue }

        package static let chown = Capabilities(rawValue: 1 << 0)
        package static let overrideModes = Capabilities(rawValue: 1 << 1)
        package static let actAsOwner = Capabilities(rawValue: 1 << 3)
        package static let keepSetID = Capabilities(rawValue: 1 << 4)
        package static let administer = Capabilities(rawValue: 1 << 21)
        package static let makeDevices = Capabilities(rawValue: 1 << 27)
        package static let setFileCapabilities = Capabilities(rawValue: 1 << 31)

        /// What writing a layer's files as they are takes. trusted.* attributes, which overlayfs marks directories by,
        /// are open to CAP_SYS_ADMIN only.
        package static let extracting: Capabilities = [
            .chown, .overrideModes, .actAsOwner, .keepSetID, .makeDevices, .setFileCapabilities, .administer,
        ]
    }

    /// Gives up all capabilities but those, in every set (capset(2)).
    package static func keep(_ capabilities: Capabilities) throws(Errno) {
        try check { clinux_keep_capabilities(capabilities.rawValue) }
    }

    /// No execve(2), new processes, ptrace(2), mount(2), namespaces, kernel modules, keys, servers; no sockets but TCP's
    /// and UDP's; no ioctl(2) but those of sockets (seccomp(2)). The answer is EPERM, but EAFNOSUPPORT or
    /// EPROTONOSUPPORT for sockets, and ENOSYS for calls that are newer than the list.
    ///
    /// From now on connect(2) waits for a `ConnectSupervisor` of the returned descriptor. nil: this kernel, or a filter
    /// that the process was started with, leaves connect(2) as it is.
    package static func limitCalls() throws(Errno) -> OwnedDescriptor? {
        var listener: Int32 = -1
        try check { clinux_confine_calls(&listener) }
        return listener < 0 ? nil : OwnedDescriptor(OwnedFD(adopting: listener))
    }
}
