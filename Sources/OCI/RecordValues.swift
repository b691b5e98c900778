// How plain values stand in records.

extension KeptAsText {
    package init(_ node: JSONValue) throws(FieldFault) {
        let text = try String(node)
        guard let value = Self(text) else { throw FieldFault("\(node.shown) is no \(Self.self)") }
        self = value
    }

    package func write(to writer: inout FieldWriter) { writer.string(description) }

    package var saysNothing: Bool { false }
}

extension Digest: FieldValue {
    package init(_ node: JSONValue) throws(FieldFault) {
        do throws(ParseError) {
            try self.init(parsing: try Digest.text(node))
        } catch {
            throw FieldFault("\(error)")
        }
    }

    /// What is no string is no digest either.
    private static func text(_ node: JSONValue) throws(ParseError) -> String {
        guard let text = node.string else { throw .noSeparator(node.shown) }
        return text
    }

    package func write(to writer: inout FieldWriter) { writer.string(description) }

    package var saysNothing: Bool { false }
}

extension Platform: FieldRecord {
    package static var blank: Platform { Platform(os: "", architecture: "") }

    package mutating func fields<Coder: FieldCoder>(_ coder: inout Coder) throws(Coder.Failure) {
        try coder.field("architecture", &architecture, .required)
        try coder.field("os", &os, .required)
        try coder.field("variant", &variant)
        try coder.field("os.version", &osVersion)
    }
}

extension ImageConfig.Execution: FieldRecord {
    package static var blank: ImageConfig.Execution { ImageConfig.Execution() }

    package mutating func fields<Coder: FieldCoder>(_ coder: inout Coder) throws(Coder.Failure) {
        try coder.field("User", &user)
        try coder.field("ExposedPorts", &exposedPorts)
        try coder.field("Env", &env)
        try coder.field("Entrypoint", &entrypoint)
        try coder.field("Cmd", &cmd)
        try coder.field("Volumes", &volumes)
        try coder.field("WorkingDir", &workingDir)
        try coder.field("Labels", &labels)
        try coder.field("StopSignal", &stopSignal)
        try coder.field("Shell", &shell)
        try coder.field("Healthcheck", &healthcheck)
        try coder.field("OnBuild", &onBuild)
    }
}

extension ImageConfig.Healthcheck: FieldRecord {
    package static var blank: ImageConfig.Healthcheck { ImageConfig.Healthcheck() }

    package mutating func fields<Coder: FieldCoder>(_ coder: inout Coder) throws(Coder.Failure) {
        try coder.field("Test", &test)
        try coder.field("Interval", &interval)
        try coder.field("Timeout", &timeout)
        try coder.field("StartPeriod", &startPeriod)
        try coder.field("StartInterval", &startInterval)
        try coder.field("Retries", &retries)
    }
}

extension ImageConfig.Empty: FieldRecord {
    package static var blank: ImageConfig.Empty { ImageConfig.Empty() }

    package mutating func fields<Coder: FieldCoder>(_ coder: inout Coder) {}
}

extension PortProtocol: FieldValue {}

extension ContainerPort: FieldRecord {
    package static var blank: ContainerPort { ContainerPort(0) }

    package mutating func fields<Coder: FieldCoder>(_ coder: inout Coder) throws(Coder.Failure) {
        try coder.field("number", &number, .required)
        try coder.field("transport", &transport, .required)
    }
}

extension PortMapping: FieldRecord {
    package static var blank: PortMapping { PortMapping(.blank) }

    package mutating func fields<Coder: FieldCoder>(_ coder: inout Coder) throws(Coder.Failure) {
        try coder.field("port", &port, .required)
        try coder.field("address", &address)
        try coder.field("hostPorts", &hostPorts)
    }
}

/// First and last.
extension ClosedRange: FieldValue where Bound == UInt16 {
    package init(_ node: JSONValue) throws(FieldFault) {
        let ends = try [UInt16](node)
        guard ends.count == 2, ends[0] <= ends[1] else { throw FieldFault("is no range") }
        self = ends[0]...ends[1]
    }

    package func write(to writer: inout FieldWriter) { [lowerBound, upperBound].write(to: &writer) }

    package var saysNothing: Bool { false }
}

extension PublishedPort: FieldRecord {
    package static var blank: PublishedPort { PublishedPort(.blank, address: .any4, hostPort: 0) }

    package mutating func fields<Coder: FieldCoder>(_ coder: inout Coder) throws(Coder.Failure) {
        try coder.field("port", &port, .required)
        try coder.field("address", &address, .required)
        try coder.field("hostPort", &hostPort, .required)
    }
}
