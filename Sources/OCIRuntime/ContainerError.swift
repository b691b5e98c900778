package import Cgroups
package import OCI
package import Runtime
package import Sys
package import Systemd

/// Why a verb on a container was not carried out.
package enum ContainerError: Error, Sendable, CustomStringConvertible {
    /// What is asked for can't be or may not be done; says what and why.
    case invalid(String)
    case exists(String)
    case notFound(String)
    /// It is not in a state in which the verb makes sense (runtime.md#operations).
    case state(String)
    case specification(FieldFault)
    case hook(String)
    case runtime(RuntimeError)
    case cgroup(CgroupError)
    case systemd(SystemdError)
    case system(SystemFailure)

    package var description: String {
        switch self {
        case .invalid(let text), .state(let text), .hook(let text): text
        case .exists(let id): "container with id \(id) already exists: delete it, or choose another ID"
        case .notFound(let id): "container \(id) does not exist"
        case .specification(let fault): "config.json: \(fault)"
        case .runtime(let error): "\(error)"
        case .cgroup(let error): "\(error)"
        case .systemd(let error): "\(error)"
        case .system(let failure): "\(failure)"
        }
    }
}

/// Calls of other layers with their errors as ours.
func runtime<T: ~Copyable>(_ body: () throws(RuntimeError) -> T) throws(ContainerError) -> T {
    do throws(RuntimeError) { return try body() } catch { throw .runtime(error) }
}

func cgroups<T>(_ body: () throws(CgroupError) -> T) throws(ContainerError) -> T {
    do throws(CgroupError) { return try body() } catch { throw .cgroup(error) }
}

func systemd<T>(_ body: () throws(SystemdError) -> T) throws(ContainerError) -> T {
    do throws(SystemdError) { return try body() } catch { throw .systemd(error) }
}

func system<T: ~Copyable>(_ body: () throws(SystemFailure) -> T) throws(ContainerError) -> T {
    do throws(SystemFailure) { return try body() } catch { throw .system(error) }
}

func call<T: ~Copyable>(
    _ operation: String, _ subject: String, _ body: () throws(Errno) -> T
) throws(ContainerError) -> T {
    do throws(Errno) { return try body() } catch { throw .system(SystemFailure(operation, subject, error)) }
}
