internal import OCIRuntime
internal import Runtime
internal import Supervisor
internal import Sys

extension Command {
    static let runAttached = Command(
        name: "run", arguments: "ID", summary: "Make and start a container, and wait for its end",
        options: CreationOptions.all + [
            Option("detach", short: "d", "do not wait"), Option("keep", "do not remove it at its end"),
        ], count: 1...1
    ) { (line, session) throws(CommandFault) in
        var options = try CreationOptions.read(line)
        let id = line.positionals[0]
        let isDetached = try line.isOn("detach")
        let keeps = try line.isOn("keep")
        options.isAttached = !isDetached && options.consoleSocket == nil
        let attached = try AttachedProcess()
        let process = try session.call { (runtime) throws(ContainerError) in try runtime.create(id, options) }
        do throws(CommandFault) {
            try session.call { (runtime) throws(ContainerError) in try runtime.start(id) }
        } catch {
            try? session.call { (runtime) throws(ContainerError) in try runtime.delete(id, force: true) }
            throw error
        }
        if isDetached { return 0 }
        let code = try attached.serve(process)
        if !keeps { try session.call { (runtime) throws(ContainerError) in try runtime.delete(id, force: true) } }
        return code
    }
}

/// A process that is served by the command that started it: signals and, where it has one, its terminal.
struct AttachedProcess: ~Copyable {
    private let foreground: Foreground

    /// Made before the process, so that no signal is lost.
    init() throws(CommandFault) {
        do throws(Errno) {
            foreground = try Foreground { (signal, pidfd) throws(Errno) in try Pidfd.send(signal, to: pidfd) }
        } catch {
            throw .failed("watch signals: \(error)")
        }
    }

    /// Returns its exit code, as a shell tells it.
    borrowing func serve(_ process: borrowing RunningProcess) throws(CommandFault) -> Int32 {
        do throws(Errno) {
            let outcome =
                process.terminalNumber < 0
                ? try foreground.serve(pidfd: process.pidfd.raw)
                : try foreground.serve(
                    pidfd: process.pidfd.raw, terminal: process.terminalNumber, interactive: true,
                    detachKeys: DetachKeys([]))
            switch outcome {
            case .ended(.code(let code)): return code
            case .ended(.signal(let number)): return 128 + number
            case .detached: return 0
            }
        } catch {
            throw .failed("serve the process: \(error)")
        }
    }
}
