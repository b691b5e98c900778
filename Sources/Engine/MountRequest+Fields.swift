package import OCI

// Mounts and devices as a container's record keeps them.

extension MountRequest: FieldRecord {
    package static let blank = MountRequest(kind: .anonymousVolume, target: "")

    package mutating func fields<Coder: FieldCoder>(_ coder: inout Coder) throws(Coder.Failure) {
        try coder.field("kind", &kind, .required)
        try coder.field("target", &target, .required)
        try coder.field("readOnly", &readOnly)
        try coder.field("propagation", &propagation)
        try coder.field("copyUp", &copyUp, .written)
    }
}

/// The members of a kind: the one that is there says which it is.
private struct MountKinds: FieldRecord {
    struct Bind: FieldRecord {
        static let blank = Bind(source: "", create: false)
        var source: String
        var create: Bool

        mutating func fields<Coder: FieldCoder>(_ coder: inout Coder) throws(Coder.Failure) {
            try coder.field("source", &source, .required)
            try coder.field("create", &create, .required)
        }
    }

    struct Volume: FieldRecord {
        static let blank = Volume(name: "")
        var name: String

        mutating func fields<Coder: FieldCoder>(_ coder: inout Coder) throws(Coder.Failure) {
            try coder.field("name", &name, .required)
        }
    }

    struct Anonymous: FieldRecord {
        static let blank = Anonymous()

        mutating func fields<Coder: FieldCoder>(_ coder: inout Coder) {}
    }

    struct Memory: FieldRecord {
        static let blank = Memory(options: [])
        var options: [String]

        mutating func fields<Coder: FieldCoder>(_ coder: inout Coder) throws(Coder.Failure) {
            try coder.field("options", &options, .required)
        }
    }

    static let blank = MountKinds()
    var bind: Bind?
    var volume: Volume?
    var anonymousVolume: Anonymous?
    var tmpfs: Memory?

    mutating func fields<Coder: FieldCoder>(_ coder: inout Coder) throws(Coder.Failure) {
        try coder.field("bind", &bind)
        try coder.field("volume", &volume)
        try coder.field("anonymousVolume", &anonymousVolume)
        try coder.field("tmpfs", &tmpfs)
    }
}

extension MountRequest.Kind: FieldValue {
    package init(_ node: JSONValue) throws(FieldFault) {
        let kinds = try MountKinds(node)
        if let bind = kinds.bind {
            self = .bind(source: bind.source, create: bind.create)
        } else if let volume = kinds.volume {
            self = .volume(name: volume.name)
        } else if let memory = kinds.tmpfs {
            self = .tmpfs(options: memory.options)
        } else if kinds.anonymousVolume != nil {
            self = .anonymousVolume
        } else {
            throw FieldFault("is no kind of mount")
        }
    }

    package func write(to writer: inout FieldWriter) {
        var kinds = MountKinds()
        switch self {
        case .bind(let source, let create): kinds.bind = MountKinds.Bind(source: source, create: create)
        case .volume(let name): kinds.volume = MountKinds.Volume(name: name)
        case .anonymousVolume: kinds.anonymousVolume = .blank
        case .tmpfs(let options): kinds.tmpfs = MountKinds.Memory(options: options)
        }
        kinds.write(to: &writer)
    }

    package var saysNothing: Bool { false }
}

extension DeviceRequest: FieldRecord {
    package static let blank = DeviceRequest(source: "", target: "")

    package mutating func fields<Coder: FieldCoder>(_ coder: inout Coder) throws(Coder.Failure) {
        try coder.field("source", &source, .required)
        try coder.field("target", &target, .required)
        try coder.field("permissions", &permissions, .written)
    }
}
