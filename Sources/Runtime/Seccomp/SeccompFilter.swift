/// A seccomp filter in the kernel's classic BPF (seccomp(2), linux/bpf_common.h).
struct FilterInstruction: Hashable, Sendable {
    var code: UInt16
    var jumpTrue: UInt8 = 0
    var jumpFalse: UInt8 = 0
    var constant: UInt32

    enum Opcode {
        /// BPF_LD | BPF_W | BPF_ABS: a word of `struct seccomp_data`.
        static let load: UInt16 = 0x20
        static let and: UInt16 = 0x54
        static let jump: UInt16 = 0x05
        static let jumpEqual: UInt16 = 0x15
        static let jumpGreater: UInt16 = 0x25
        static let jumpGreaterOrEqual: UInt16 = 0x35
        static let answer: UInt16 = 0x06
    }

    static func load(_ offset: UInt32) -> FilterInstruction { FilterInstruction(code: Opcode.load, constant: offset) }
    static func answer(_ action: SeccompAction) -> FilterInstruction {
        FilterInstruction(code: Opcode.answer, constant: action.rawValue)
    }
    static func jump(over count: Int) -> FilterInstruction {
        FilterInstruction(code: Opcode.jump, constant: UInt32(clamping: count))
    }
}

/// Offsets in `struct seccomp_data`.
enum SeccompData {
    static let number: UInt32 = 0
    static let architecture: UInt32 = 4

    static func low(ofArgument index: UInt32) -> UInt32 { 16 + 8 * index }
    static func high(ofArgument index: UInt32) -> UInt32 { 20 + 8 * index }
}

/// SECCOMP_RET_* with its data.
struct SeccompAction: RawRepresentable, Hashable, Sendable {
    let rawValue: UInt32

    static let killProcess = SeccompAction(rawValue: 0x8000_0000)
    static let killThread = SeccompAction(rawValue: 0)
    static let trap = SeccompAction(rawValue: 0x0003_0000)
    static let log = SeccompAction(rawValue: 0x7ffc_0000)
    static let allow = SeccompAction(rawValue: 0x7fff_0000)
    static func errno(_ number: UInt32) -> SeccompAction { SeccompAction(rawValue: 0x0005_0000 | number) }
    static func trace(_ message: UInt32) -> SeccompAction { SeccompAction(rawValue: 0x7ff0_0000 | message) }
    /// A listener answers in the kernel's place.
    static let notify = SeccompAction(rawValue: 0x7fc0_0000)
    static let noSystemCall = errno(38)

    /// The kernel's own order among filters: as signed numbers, the smallest wins.
    var strictness: Int32 { Int32(bitPattern: rawValue & 0xffff_0000) }

    /// Answers with an error or a signal rather than running the call.
    var isDenial: Bool { strictness <= SeccompAction.errno(0).strictness }
}
