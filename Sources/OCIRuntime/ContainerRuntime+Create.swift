internal import Glibc
internal import OCI
internal import Rootfs
package import Runtime
internal import Sys

/// What `create` is told besides the bundle's own configuration.
package struct CreateOptions: Sendable {
    /// The bundle's directory.
    package var bundle = "."
    /// In place of the bundle's `config.json`.
    package var configuration: String?
    package var pidFile: String?
    /// A Unix socket that gets the terminal's master.
    package var consoleSocket: String?
    package var usesPivot = true
    package var newKeyring = true
    /// Descriptors from 3 on that are the command's.
    package var preserved: UInt32 = 0
    /// How many of them are sockets that systemd has opened for the caller (sd_listen_fds(3)).
    package var activated: UInt32 = 0
    /// The terminal is served by the caller, who stays.
    package var isAttached = false

    package init() {}
}

extension ContainerRuntime {
    /// Makes a container: all of it but its command's execution (runtime.md#create). Its first process is the caller's
    /// child. Whatever fails, nothing is left.
    package func create(_ id: String, _ options: CreateOptions) throws(ContainerError) -> RunningProcess {
        try ContainerID.check(id)
        let bundle = try Bundle(options)
        let directory = try ContainerDirectory(making: id, in: root) { (left) throws(ContainerError) in
            if let state = try? ContainerDirectory.read(left.path) { try destroy(state) }
        }
        var state = ContainerState(
            id: id, bundle: bundle.path, rootfs: bundle.rootfs, owner: getuid(), spec: bundle.spec)
        do throws(ContainerError) {
            try directory.saveConfiguration(bundle.text)
            return try make(&state, bundle, options, directory)
        } catch {
            do throws(ContainerError) { try destroy(state) } catch { notice("\(error)") }
            runLateHooks(bundle.spec.hooks?.poststop, "poststop", state.report(.stopped), in: bundle.path)
            do throws(ContainerError) { try directory.remove() } catch { notice("\(error)") }
            throw error
        }
    }

    private func make(
        _ state: inout ContainerState, _ bundle: Bundle, _ options: CreateOptions,
        _ directory: borrowing ContainerDirectory
    ) throws(ContainerError) -> RunningProcess {
        var spec = bundle.spec
        let birth = try CgroupBirth(driver, &state, spec)
        noteUnknown(spec.process.capabilities.removeUnknown())
        try checkUnused(&state)
        // Known before there is something to clean up.
        try directory.save(state)
        try birth.make(&state, spec)
        if state.unit != nil { try directory.save(state) }
        spec.linux.cgroupsPath = state.cgroupPath
        let gate = try StartGate(making: directory.path)
        var request = LaunchRequest(
            id: state.id, spec: spec, rootfs: RootfsMount(directory: bundle.rootfs, readOnly: false))
        request.passed = PassedDescriptors(kept: options.preserved, gate: gate.descriptors)
        request.diesWithParent = false
        request.hasCommand = spec.hasProcess
        request.usesPivot = options.usesPivot
        request.newKeyring = options.newKeyring
        request.hasHooks = spec.hooks?.areEarly == true
        let plan = try runtime { () throws(RuntimeError) in
            try Launcher.plan(request, host: ContainerRuntime.hostFacts())
        }
        var live = state
        let process = try start(plan, birth, spec, &live, directory)
        state = live
        try pass(process, options, state)
        state.isComplete = true
        try directory.save(state)
        _ = consume gate
        return process
    }

    func noteUnknown(_ capabilities: Set<String>) {
        if capabilities.isEmpty { return }
        notice("capabilities that are not known here are left out: \(capabilities.sorted().joined(separator: ", "))")
    }

    private func start(
        _ plan: LaunchPlan, _ birth: CgroupBirth, _ spec: Spec, _ state: inout ContainerState,
        _ directory: borrowing ContainerDirectory
    ) throws(ContainerError) -> RunningProcess {
        var failure: ContainerError?
        var live = state
        let path = directory.path
        defer { state = live }
        do throws(RuntimeError) {
            return try Launcher.start(plan, cgroup: birth.cgroup) { (pidfd) throws(RuntimeError) in
                do throws(ContainerError) {
                    try note(pidfd, &live, in: path)
                    try birth.settle()
                    try runEarlyHooks(spec, live, pidfd, birth.cgroup)
                } catch {
                    failure = error
                    throw RuntimeError.invalid("\(error)")
                }
            } listener: { (descriptor, pid, socket) throws(RuntimeError) in
                try SeccompListener.send(
                    descriptor, to: socket, state: live.seccompReport(spec, pid, .creating))
            }
        } catch {
            throw failure ?? .runtime(error)
        }
    }

    /// From its release on the container may outlive us: who it is has to be known before.
    private func note(_ pidfd: Int32, _ state: inout ContainerState, in directory: String) throws(ContainerError) {
        let pid = try call("tell the process behind", "a pidfd") { () throws(Errno) in try Pidfd.number(of: pidfd) }
        guard let startTime = ProcessStatus.startTime(pid) else {
            throw .runtime(.lostChild("it ended before it was made"))
        }
        (state.pid, state.startTime) = (pid, startTime)
        let text = Array(state.json.text.utf8)
        try system { () throws(SystemFailure) in
            try File.replace("\(directory)/state.json", with: text, durably: false)
        }
    }

    /// Hands on what callers ask for: the terminal, and the number of the process.
    private func pass(
        _ process: borrowing RunningProcess, _ options: CreateOptions, _ state: ContainerState
    ) throws(ContainerError) {
        if let path = options.consoleSocket, process.terminalNumber >= 0 {
            try ConsoleSocket.send(process.terminalNumber, to: path)
        }
        if let path = options.pidFile { try PidFile.write(process.pid, to: path) }
    }
}
