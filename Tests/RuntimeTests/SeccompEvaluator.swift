/// Runs a seccomp filter as the kernel would (net/core/filter.c, seccomp_check_filter): the instructions that it
/// allows, on one call.
struct SeccompEvaluator {
    struct Call {
        var number: UInt32
        var audit: UInt32
        var arguments: [UInt64] = []
    }

    enum Trap: Error, Equatable {
        case badLength, badOpcode(UInt16), badOffset(UInt32), fellOff, unreachableJump
    }

    enum Answer: Equatable {
        case allow
        case errno(UInt32)
        case other(UInt32)
    }

    private struct Instruction {
        let code: UInt16
        let onTrue: Int
        let onFalse: Int
        let constant: UInt32
    }

    private let program: [Instruction]

    init(_ bytes: [UInt8]) throws {
        guard bytes.count.isMultiple(of: 8), !bytes.isEmpty, bytes.count <= 4096 * 8 else { throw Trap.badLength }
        program = stride(from: 0, to: bytes.count, by: 8).map { at in
            let constant = (0..<4).reduce(UInt32(0)) { $0 | UInt32(bytes[at + 4 + $1]) << (8 * UInt32($1)) }
            return Instruction(
                code: UInt16(bytes[at]) | UInt16(bytes[at + 1]) << 8, onTrue: Int(bytes[at + 2]),
                onFalse: Int(bytes[at + 3]), constant: constant)
        }
        // The kernel refuses a filter whose jumps leave it, used or not.
        for (index, instruction) in program.enumerated() where instruction.code & 7 == 5 {
            let far =
                instruction.code == 0x05 ? Int(instruction.constant) : max(instruction.onTrue, instruction.onFalse)
            if index + 1 + far >= program.count { throw Trap.unreachableJump }
        }
    }

    var count: Int { program.count }

    func answer(_ call: Call) throws -> Answer {
        let value = try run(call)
        if value == 0x7fff_0000 { return .allow }
        return value & 0xffff_0000 == 0x0005_0000 ? .errno(value & 0xffff) : .other(value)
    }

    private func run(_ call: Call) throws -> UInt32 {
        var accumulator: UInt32 = 0
        var index = 0
        while index < program.count {
            let instruction = program[index]
            index += 1
            let constant = instruction.constant
            switch instruction.code {
            case 0x20: accumulator = try word(constant, of: call)
            case 0x54: accumulator &= constant
            case 0x05: index += Int(constant)
            case 0x15: index += accumulator == constant ? instruction.onTrue : instruction.onFalse
            case 0x25: index += accumulator > constant ? instruction.onTrue : instruction.onFalse
            case 0x35: index += accumulator >= constant ? instruction.onTrue : instruction.onFalse
            case 0x06: return constant
            default: throw Trap.badOpcode(instruction.code)
            }
        }
        throw Trap.fellOff
    }

    private func word(_ offset: UInt32, of call: Call) throws -> UInt32 {
        switch offset {
        case 0: return call.number
        case 4: return call.audit
        case 16..<64 where offset.isMultiple(of: 4):
            let index = Int(offset - 16) / 8
            let value = index < call.arguments.count ? call.arguments[index] : 0
            return UInt32(truncatingIfNeeded: offset.isMultiple(of: 8) ? value : value >> 32)
        default: throw Trap.badOffset(offset)
        }
    }
}
