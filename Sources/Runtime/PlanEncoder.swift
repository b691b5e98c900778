internal import CInit
internal import Glibc
internal import Rootfs

/// Writes a plan as the flat buffer that `CInit` interprets: header, operations, pointer tables, then every string with
/// its NUL, addressed by offset.
struct PlanEncoder {
    /// PROC_SUPER_MAGIC of statfs(2).
    private static let procMagic: UInt64 = 0x9fa0
    /// MS_REC of mount(2).
    private static let recursive: UInt64 = 0x4000

    private var strings: [UInt8] = []
    private let base: Int
    /// A NUL inside a string cuts it short in the kernel's eyes: what was checked and what is done would differ.
    private(set) var hasNUL = false

    /// Strings begin behind the fixed part; offset 0 is the empty string, which the header's own bytes never are: the
    /// first byte of the pool is a NUL for it.
    private init(base: Int) {
        self.base = base
        strings = [0]
    }

    /// The plan's operations and its command as one buffer, which has passed the interpreter's own check.
    static func encode(
        _ items: [PlanOp], clone flags: NamespaceFlags, arguments: [String], environment: [String]
    ) throws(RuntimeError) -> [UInt8] {
        let opsOffset = MemoryLayout<cinit_plan>.stride
        let argvOffset = opsOffset + items.count * MemoryLayout<cinit_op>.stride
        let envpOffset = argvOffset + (arguments.count + 1) * 8
        var encoder = PlanEncoder(base: envpOffset + (environment.count + 1) * 8)
        var ops: [cinit_op] = []
        for item in items {
            ops.append(encoder.encode(item))
            if encoder.hasNUL { throw .invalid("the spec contains a NUL character, in: \(item)") }
        }
        let argv = arguments.map { UInt64(encoder.add($0)) } + [0]
        let envp = environment.map { UInt64(encoder.add($0)) } + [0]
        if encoder.hasNUL { throw .invalid("the command or its environment contains a NUL character") }
        let size = encoder.base + encoder.strings.count
        // The kernel takes less (ARG_MAX); offsets are 32 bits wide.
        if size > 1 << 30 { throw .invalid("the command and its environment take \(size) bytes, which is too much") }
        let header = cinit_plan(
            magic: UInt32(CINIT_MAGIC), size: UInt32(size), op_count: UInt32(ops.count), ops: UInt32(opsOffset),
            argc: UInt32(arguments.count), argv: UInt32(argvOffset), envc: UInt32(environment.count),
            envp: UInt32(envpOffset), clone_flags: flags.rawValue)
        var buffer: [UInt8] = []
        buffer.reserveCapacity(size)
        withUnsafeBytes(of: header) { buffer.append(contentsOf: $0) }
        ops.withUnsafeBytes { buffer.append(contentsOf: $0) }
        argv.withUnsafeBytes { buffer.append(contentsOf: $0) }
        envp.withUnsafeBytes { buffer.append(contentsOf: $0) }
        buffer.append(contentsOf: encoder.strings)
        guard buffer.count == size, buffer.withUnsafeBytes({ cinit_check($0.baseAddress, size) }) == 0 else {
            throw .invalid("the launch plan does not pass its own check")
        }
        return buffer
    }

    private mutating func add(_ text: String) -> UInt32 {
        let offset = base + strings.count
        append(text)
        return UInt32(offset)
    }

    private mutating func append(_ text: String) {
        let start = strings.count
        strings.append(contentsOf: text.utf8)
        if strings[start...].contains(0) { hasNUL = true }
        strings.append(0)
    }

    /// Numbers or instructions, which the kernel wants aligned.
    private mutating func add(_ bytes: [UInt8]) -> UInt32 {
        while (base + strings.count) % 8 != 0 { strings.append(0) }
        let offset = base + strings.count
        strings.append(contentsOf: bytes)
        strings.append(0)
        return UInt32(offset)
    }

    private mutating func add(_ options: [MountOption]) -> UInt32 {
        let offset = base + strings.count
        for option in options {
            strings.append(UInt8(ascii: option.value == nil ? "f" : "s"))
            append(option.name)
            if let value = option.value { append(value) }
        }
        strings.append(0)
        return UInt32(offset)
    }

    /// One operation; what it does not use is 0.
    private func op(
        _ code: cinit_code, _ slot: Slot? = nil, dir: Slot? = nil, rules: TargetRules = [], path: UInt32? = nil,
        text: UInt32? = nil, a: UInt64 = 0, b: UInt64 = 0, c: UInt64 = 0
    ) -> cinit_op {
        cinit_op(
            code: UInt16(code.rawValue), flags: rules.rawValue, slot: slot?.index ?? -1, dir: dir?.index ?? -1,
            path: path ?? 0, text: text ?? UInt32(base), a: a, b: b, c: c)
    }

    private mutating func encode(_ item: PlanOp) -> cinit_op {
        encodeMount(item) ?? encodeFile(item) ?? encodeProcess(item)
    }

    private mutating func encodeMount(_ item: PlanOp) -> cinit_op? {
        switch item {
        case .makeMountsPrivate: op(CINIT_PRIVATE)
        case .makeMountsSlaves: op(CINIT_PRIVATE, a: Propagation.slave.rawValue | PlanEncoder.recursive)
        case .changeRoot(let slot): op(CINIT_CHROOT, dir: slot)
        case .moveRoot(let slot): op(CINIT_MOVE_ROOT, dir: slot)
        case .inherit(let slot, let index): op(CINIT_INHERIT, slot, a: UInt64(index))
        case .copyUp(let slot, let place): op(CINIT_COPY_UP, slot, dir: place.slot, path: add(place.path))
        case .reconfigure(let place, let options):
            op(CINIT_RECONFIGURE, dir: place.slot, path: add(place.path), text: add(options))
        case .cloneTree(let slot, let place, let recursive):
            op(
                CINIT_CLONE_TREE, slot, dir: place.slot, path: place.path.isEmpty ? 0 : add(place.path),
                a: recursive ? 1 : 0)
        case .borrow(let slot, let target, let path, let isProc):
            op(CINIT_BORROW, slot, path: add(path), a: isProc ? PlanEncoder.procMagic : 0, b: UInt64(target))
        case .filesystem(let slot, let type, let options, let attributes):
            op(CINIT_FILESYSTEM, slot, path: add(type), text: add(options), a: attributes.rawValue)
        case .overlay(let mountPoint, let options): op(CINIT_MOUNT, path: add(mountPoint), text: add(options))
        case .attributes(let slot, let set, let clear, let propagation, let recursive):
            op(
                CINIT_ATTRIBUTES, slot, rules: recursive ? TargetRules(rawValue: UInt16(CINIT_RECURSIVE.rawValue)) : [],
                a: set.rawValue, b: clear.rawValue, c: propagation?.rawValue ?? 0)
        case .attach(let slot, let place, let rules):
            op(CINIT_ATTACH, slot, dir: place.slot, rules: rules, path: add(place.path))
        case .mask(let place, let file, let directory, let rules):
            op(CINIT_MASK, file, dir: place.slot, rules: rules, path: add(place.path), a: UInt64(directory.index))
        case .readOnly(let place, let rules):
            op(CINIT_READ_ONLY, dir: place.slot, rules: rules, path: add(place.path))
        case .pivot(let slot): op(CINIT_PIVOT, dir: slot)
        default: nil
        }
    }

    private mutating func encodeFile(_ item: PlanOp) -> cinit_op? {
        switch item {
        case .changeDirectory(let path): op(CINIT_CHDIR, path: add(path))
        case .open(let slot, let place, let flags, let rules):
            op(CINIT_OPEN, slot, dir: place.slot, rules: rules, path: add(place.path), a: UInt64(flags))
        case .nullDevice(let slot, let place, let flags):
            op(CINIT_NULL_DEVICE, slot, dir: place.slot, path: add(place.path), a: UInt64(flags))
        case .makePath(let place): op(CINIT_MAKE_PATH, dir: place.slot, path: add(place.path))
        case .node(let place, let node):
            op(
                CINIT_NODE, dir: place.slot, path: add(place.path), a: UInt64(node.mode),
                b: node.number, c: UInt64(node.uid) | UInt64(node.gid) << 32)
        case .link(let place, let target): op(CINIT_LINK, dir: place.slot, path: add(place.path), text: add(target))
        case .write(let place, let value):
            op(CINIT_WRITE, dir: place.slot, rules: [.noLinks, .sameMount], path: add(place.path), text: add(value))
        case .pty(let slot, let devpts, let rows, let columns, let owner):
            op(CINIT_PTY, slot, dir: devpts, a: UInt64(rows) | UInt64(columns) << 16, c: UInt64(owner))
        case .hostTerminal(let slot, let rows, let columns):
            op(CINIT_PTY, slot, dir: slot, rules: .hostTerminal, a: UInt64(rows) | UInt64(columns) << 16)
        case .workDirectory(let place): op(CINIT_WORK_DIR, dir: place.slot, path: add(place.path))
        case .joinNamespace(let path, let flags): op(CINIT_SETNS, path: add(path), a: flags.rawValue)
        default: nil
        }
    }

    private mutating func encodeProcess(_ item: PlanOp) -> cinit_op {
        switch item {
        case .awaitRelease: op(CINIT_AWAIT)
        case .awaitHooks: op(CINIT_AWAIT, a: UInt64(CINIT_AWAIT_HOOKS.rawValue))
        case .awaitMapping: op(CINIT_AWAIT, a: UInt64(CINIT_AWAIT_MAPPED.rawValue))
        case .joinCgroup: op(CINIT_JOIN_CGROUP)
        case .unshare(let flags): op(CINIT_UNSHARE, a: flags.rawValue)
        case .join(let slot, let flags): op(CINIT_JOIN, slot, a: flags.rawValue)
        case .share(let target, let flags): op(CINIT_JOIN, a: flags.rawValue, b: UInt64(target))
        case .hostName(let name): op(CINIT_HOST_NAME, text: add(name), a: UInt64(name.utf8.count))
        case .domainName(let name): op(CINIT_DOMAIN_NAME, text: add(name), a: UInt64(name.utf8.count))
        case .loopback: op(CINIT_LOOPBACK)
        case .limit(let limit): op(CINIT_LIMIT, a: UInt64(limit.resource), b: limit.soft, c: limit.hard)
        case .keyring(let name): op(CINIT_KEYRING, text: add(name))
        case .stdio(let io, let null, let owner): stdio(io, null, owner)
        case .terminal(let slot, let controlling): op(CINIT_TERMINAL, slot, a: controlling ? 1 : 0)
        case .bounding(let mask): op(CINIT_BOUNDING, a: mask.rawValue)
        case .groups(let groups):
            op(CINIT_GROUPS, text: add(groups.flatMap { word in bytes(word) }), a: UInt64(groups.count))
        case .ids(let uid, let gid): op(CINIT_IDS, a: UInt64(uid), b: UInt64(gid))
        case .capabilities(let effective, let permitted, let inheritable):
            op(CINIT_CAPABILITIES, a: effective.rawValue, b: permitted.rawValue, c: inheritable.rawValue)
        case .ambient(let mask): op(CINIT_AMBIENT, a: mask.rawValue)
        case .noNewPrivileges: op(CINIT_NO_NEW_PRIVILEGES)
        case .seccomp(let program):
            op(CINIT_SECCOMP, text: add(program.bytecode), a: UInt64(program.instructions), b: program.flags)
        case .parentDeath(let signal): op(CINIT_PARENT_DEATH, a: UInt64(signal))
        case .umask(let mask): op(CINIT_UMASK, a: UInt64(mask))
        case .becomeRoot: op(CINIT_BECOME_ROOT)
        case .label(let slot, let text): op(CINIT_LABEL, slot, text: add(text))
        case .ioPriority(let value): op(CINIT_IO_PRIORITY, a: UInt64(value))
        case .scheduler(let attributes): op(CINIT_SCHEDULER, text: add(attributes.bytes))
        case .personality(let domain): op(CINIT_PERSONALITY, a: UInt64(domain))
        case .affinity(let list, let tolerant):
            op(CINIT_AFFINITY, text: add(list.mask), a: UInt64(list.mask.count), b: tolerant ? 1 : 0)
        case .sealDescriptors(let passed):
            op(
                CINIT_SEAL_DESCRIPTORS, a: UInt64(passed.kept), b: UInt64(max(0, passed.gate?.start ?? 0)),
                c: UInt64(max(0, passed.gate?.report ?? 0)))
        default: op(CINIT_EXEC)
        }
    }

    private func stdio(_ io: StandardIO, _ null: Slot?, _ owner: UInt32) -> cinit_op {
        func word(_ fd: Int32) -> UInt64 { UInt64(UInt32(bitPattern: fd)) }
        // The operation always names a slot; where all three are the caller's it is not looked at.
        let slot = null ?? Slot(index: 0, name: "")
        return op(
            CINIT_STDIO, slot, a: word(io.input), b: word(io.output), c: word(io.error) | UInt64(owner) << 32)
    }

    private func bytes(_ word: UInt32) -> [UInt8] {
        [0, 8, 16, 24].map { UInt8(truncatingIfNeeded: word >> $0) }
    }
}

extension DeviceNode {
    /// As mknod(2) takes it (makedev(3)).
    fileprivate var number: UInt64 {
        let major = UInt64(major)
        let minor = UInt64(minor)
        return (major & 0xfff) << 8 | (major >> 12) << 44 | minor & 0xff | (minor >> 8) << 20
    }
}
