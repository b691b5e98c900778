internal import OCI
package import Sys

/// Why systemd did not do what it was asked for.
package enum SystemdError: Error, Sendable, CustomStringConvertible {
    /// Nobody answers at any of its places, each with the reason.
    case unreachable(manager: String, tried: [String])
    /// It answered with an error of that name.
    case refused(call: String, name: String, text: String)
    /// Its answer makes no sense.
    case answer(call: String, reason: String)
    case timeout(call: String, seconds: Double)
    /// The unit's job ended without having done what it is for.
    case job(verb: String, unit: String, result: String)
    /// `linux.cgroupsPath` is none that says where a unit is to be.
    case place(String, reason: String)
    /// A property is asked for by an annotation that says none.
    case property(String, reason: String)
    case system(SystemFailure)

    package static let remedy = "set the caller's cgroup driver to cgroupfs (--cgroup-manager cgroupfs)"

    package var description: String {
        switch self {
        case .unreachable(let manager, let tried):
            "no \(manager) answers that could keep the cgroup (\(tried.joined(separator: "; "))): start it, or "
                + SystemdError.remedy
        case .refused(let call, let name, let text):
            "systemd refused \(call): \(ForeignText(text, limit: 400)) (\(ForeignText(name, limit: 120)))"
        case .answer(let call, let reason):
            "systemd answered \(call) with \(reason)"
        case .timeout(let call, let seconds):
            "systemd did not answer \(call) within \(seconds) s"
        case .job(let verb, let unit, let result):
            "systemd could not \(verb) unit \(unit): the job's result is \"\(ForeignText(result, limit: 80))\""
        case .place(let path, let reason):
            "invalid linux.cgroupsPath \"\(ForeignText(path, limit: 300))\": \(reason)"
        case .property(let annotation, let reason):
            "invalid annotation \(ForeignText(annotation, limit: 120)): \(reason)"
        case .system(let failure):
            failure.description
        }
    }

    /// What the other end called it; nil for what is no answer.
    var name: String? {
        if case .refused(_, let name, _) = self { return name }
        return nil
    }
}
