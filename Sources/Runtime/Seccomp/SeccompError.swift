/// Why a seccomp profile cannot be used.
package enum SeccompError: Error, Equatable, Sendable, CustomStringConvertible {
    /// The file is no JSON, or a field of it is not what it should be.
    case profile(field: String, reason: String)
    case unknownAction(String, field: String)
    case unknownArchitecture(String)
    case unknownOperator(String, syscall: String)
    case unknownFlag(String)
    case argumentIndex(UInt32, syscall: String)
    /// Named in a field that takes an errno.
    case errnoValue(String, field: String)
    /// What the runtime spec has and this runtime has not.
    case unsupported(String)
    /// More instructions than the kernel takes (BPF_MAXINSNS).
    case tooLong(instructions: Int)

    package var description: String {
        switch self {
        case .profile(let field, let reason):
            "invalid seccomp profile: \(field): \(reason)"
        case .unknownAction(let action, let field):
            "invalid seccomp profile: \(field): unknown action \"\(action)\""
        case .unknownArchitecture(let name):
            "invalid seccomp profile: unknown architecture \"\(name)\""
        case .unknownOperator(let name, let syscall):
            "invalid seccomp profile: rule for \(syscall): unknown operator \"\(name)\""
        case .unknownFlag(let name):
            "invalid seccomp profile: unknown flag \"\(name)\""
        case .argumentIndex(let index, let syscall):
            "invalid seccomp profile: rule for \(syscall): argument index \(index) is above 5"
        case .errnoValue(let value, let field):
            "invalid seccomp profile: \(field): \"\(value)\" is no errno between 0 and 4095"
        case .unsupported(let what):
            "unsupported seccomp profile: \(what)"
        case .tooLong(let count):
            "seccomp profile is too long: \(count) instructions, the kernel takes 4096; use fewer argument rules"
        }
    }
}
