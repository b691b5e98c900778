internal import Engine
internal import OCI

@testable internal import DockerCLI

/// Z10: values of `run`'s flags. What is accepted is safe to act on and, where it can be written down in docker's own
/// words, is read as the same again.
package enum FlagFuzz {
    /// The first byte chooses the parser.
    package static func run(_ bytes: [UInt8]) throws(Finding) {
        let text = String(decoding: bytes.dropFirst(), as: UTF8.self)
        switch (bytes.first ?? 0) % 12 {
        case 0: try checkMount(try? Volumes.parse(text), text, volumeText) { try? Volumes.parse($0) }
        case 1: try checkMount(try? Mounts.parse(text), text, mountText) { try? Mounts.parse($0) }
        case 2: try checkMount(try? Tmpfs.parse(text), text, tmpfsText) { try? Tmpfs.parse($0) }
        case 3: try checkPorts(text)
        case 4: try checkEnvironment(Array(bytes.dropFirst()))
        case 5: try checkUlimit(text)
        case 6: try checkDevice(text)
        case 7: try checkSizes(text)
        case 8: try checkNames(text)
        case 9: try checkFields(text)
        default: try checkCommandLine(text)
        }
    }

    // MARK: Mounts

    private static func checkMount(
        _ request: MountRequest?, _ text: String, _ write: (MountRequest) -> String?, _ read: (String) -> MountRequest?
    ) throws(Finding) {
        guard let request else { return }
        try checkTarget(request.target)
        try expect(!text.hasControlCharacters, "control character in \(text)")
        switch request.kind {
        case .bind(let source, _):
            try expect(source.hasPrefix("/") || source.hasPrefix("."), "bind of \(source)")
            if source.hasPrefix("/") { try checkClean(source) }
        case .volume(let name):
            try expect(isName(name), "volume \(name)")
        case .anonymousVolume: break
        case .tmpfs(let options):
            try expect(options.allSatisfy { !$0.isEmpty && !$0.utf8.contains(UInt8(ascii: ",")) }, "options \(options)")
        }
        if let written = write(request) {
            try expect(read(written) == request, "\(text) is \(request), but \(written) is not")
        }
    }

    private static func checkTarget(_ path: String) throws(Finding) {
        try checkClean(path)
        try expect(path != "/", "a mount over the root")
    }

    private static func checkClean(_ path: String) throws(Finding) {
        try expect(path.utf8.first == UInt8(ascii: "/"), "\(path) is not absolute")
        let parts = Array(path.utf8).dropFirst().split(separator: UInt8(ascii: "/"), omittingEmptySubsequences: false)
        let isClean = path == "/" || parts.allSatisfy { !$0.isEmpty && !$0.equals(".") && !$0.equals("..") }
        try expect(isClean && !path.utf8.contains(0), "\(path) is not clean")
    }

    private static func isName(_ text: String) -> Bool {
        let allowed = Set("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.-".utf8)
        return text.utf8.count > 1 && text.utf8.allSatisfy(allowed.contains)
            && !"_.-".utf8.contains(text.utf8.first ?? 0)
    }

    private static func volumeText(_ request: MountRequest) -> String? {
        var words = request.readOnly ? ["ro"] : []
        if let propagation = request.propagation { words.append(propagation) }
        if !request.copyUp { words.append("nocopy") }
        let options = words.isEmpty ? "" : ":" + words.joined(separator: ",")
        switch request.kind {
        case .bind(let source, _): return "\(source):\(request.target)\(options)"
        case .volume(let name): return "\(name):\(request.target)\(options)"
        default: return request.target
        }
    }

    private static func mountText(_ request: MountRequest) -> String? {
        var fields = ["dst=\(request.target)"]
        if request.readOnly { fields.append("readonly") }
        if let propagation = request.propagation { fields.append("bind-propagation=\(propagation)") }
        switch request.kind {
        case .bind(let source, _): fields += ["type=bind", "src=\(source)"]
        case .volume(let name): fields += ["type=volume", "src=\(name)"]
        case .anonymousVolume: break
        case .tmpfs(let options):
            fields.append("type=tmpfs")
            fields += options.map { "tmpfs-\($0)" }
        }
        if !request.copyUp { fields.append("volume-nocopy=true") }
        return fields.map { "\"" + $0.replacing("\"", with: "\"\"") + "\"" }.joined(separator: ",")
    }

    private static func tmpfsText(_ request: MountRequest) -> String? {
        guard case .tmpfs(let options) = request.kind else { return nil }
        return options.isEmpty ? request.target : "\(request.target):\(options.joined(separator: ","))"
    }

    // MARK: Others

    private static func checkPorts(_ text: String) throws(Finding) {
        guard let mappings = try? PortSpecification.parse(text) else { return }
        try expect(!mappings.isEmpty, "no port of \(text)")
        for mapping in mappings {
            // As one would write it, it is the same.
            let host = mapping.hostPorts.map { "\($0.lowerBound)-\($0.upperBound)" } ?? ""
            let written = "\(mapping.address.map { $0.text + ":" } ?? "")\(host):\(mapping.port)"
            try expect((try? PortSpecification.parse(written)) == [mapping], "\(written) of \(text)")
            try expect(mapping.port.number > 0 && mapping.hostPorts?.lowerBound != 0, "port 0 of \(text)")
        }
    }

    private static func checkEnvironment(_ bytes: [UInt8]) throws(Finding) {
        guard let entries = try? EnvironmentFile.parse(bytes, file: "f") else { return }
        for entry in entries {
            let isName =
                !entry.name.isEmpty
                && entry.name.utf8.allSatisfy { $0 != 0x20 && !(0x09...0x0d).contains($0) && $0 != 0 }
            try expect(isName && !entry.name.contains("="), "name \(entry.name)")
            try expect(entry.value?.utf8.contains { $0 == 0 || $0 == 0x0a } != true, "value of \(entry.name)")
        }
        // The empty line keeps a byte order mark in front of a name from being the file's.
        let lines = entries.map { entry in entry.value.map { "\(entry.name)=\($0)\r\n" } ?? "\(entry.name)\n" }
        let written = "\n" + lines.joined()
        try expect(
            (try? EnvironmentFile.parse(Array(written.utf8), file: "f")) == entries, "\(entries) from \(written)")
    }

    private static func checkUlimit(_ text: String) throws(Finding) {
        guard let limit = try? Ulimit.parse(text) else { return }
        try expect(limit.soft <= limit.hard, "\(text) is \(limit)")
        try expect(limit.type.hasPrefix("RLIMIT_"), "type \(limit.type)")
        func number(_ value: UInt64) -> String { value == .max ? "-1" : "\(value)" }
        let written = "\(limit.type.dropFirst(7).lowercased())=\(number(limit.soft)):\(number(limit.hard))"
        let again = try? Ulimit.parse(written)
        try expect(again == limit, "\(text) is \(limit), but \(written) is not")
    }

    private static func checkDevice(_ text: String) throws(Finding) {
        guard let device = try? Devices.parse(text) else { return }
        try checkClean(device.target)
        try expect(device.source.hasPrefix("/"), "device \(device.source)")
        try expect(!text.hasControlCharacters, "control character in \(text)")
        let isMode = (1...3).contains(device.permissions.count) && Set(device.permissions).isSubset(of: Set("rwm"))
        try expect(isMode, "permissions \(device.permissions)")
        let written = "\(device.source):\(device.target):\(device.permissions)"
        try expect((try? Devices.parse(written)) == device, "\(text) is \(device), but \(written) is not")
    }

    private static func checkSizes(_ text: String) throws(Finding) {
        if let size = try? Sizes.ram(text) {
            try expect(
                size >= 0 && (try? Sizes.ram("\(size)b")).map { $0 == size || size > 1 << 53 } == true, "size \(text)")
        }
        if let nano = try? Sizes.nanoCPUs(text) {
            let (whole, rest) = nano.magnitude.quotientAndRemainder(dividingBy: 1_000_000_000)
            let places = String(rest + 1_000_000_000).dropFirst()
            let written = "\(nano < 0 ? "-" : "")\(whole).\(places)"
            try expect((try? Sizes.nanoCPUs(written)) == nano, "\(text) is \(nano), but \(written) is not")
        }
        if let value = try? GoValue.int64(text) {
            try expect((try? GoValue.int64("\(value)")) == value, "\(text) is \(value)")
        }
    }

    private static func checkNames(_ text: String) throws(Finding) {
        if let name = try? Names.container(text) { try expect(isName(name), "container \(name)") }
        if let host = try? Names.host(text, flag: "hostname") {
            try expect((1...64).contains(host.utf8.count) && !host.hasControlCharacters, "host \(host)")
        }
        if let entry = try? Names.environment(text) {
            try expect(entry.name + (entry.value.map { "=" + $0 } ?? "") == text, "environment \(text)")
        }
        if let entry = try? Names.sysctl(text) {
            try expect(!text.hasControlCharacters && !entry.name.contains(".."), "sysctl \(text)")
            try expect(entry.name.split(separator: "/").allSatisfy { $0 != ".." && $0 != "." }, "sysctl \(text)")
        }
        if let capability = try? CapabilityName.normalize(text, list: "CapAdd") {
            try expect(capability == "ALL" || capability.hasPrefix("CAP_"), "capability \(capability)")
        }
        if let signal = try? SignalName.validate(text) {
            try expect(!signal.hasControlCharacters && signal.utf8.count < 12, "signal \(signal)")
        }
    }

    /// One record of comma-separated values, written in quotes, is itself.
    private static func checkFields(_ text: String) throws(Finding) {
        guard let fields = try? CommaSeparated.fields(text) else { return }
        let written = fields.map { "\"" + $0.replacing("\"", with: "\"\"") + "\"" }.joined(separator: ",")
        try expect((try? CommaSeparated.fields(written)) == fields, "\(text) is \(fields)")
    }

    /// A whole command line, its words on lines.
    private static func checkCommandLine(_ text: String) throws(Finding) {
        let words = text.unicodeScalars.split(separator: "\n", omittingEmptySubsequences: false).map { String($0) }
        var draft = RunDraft()
        let outcome: FlagParser<RunDraft>.Outcome
        do throws(ParseError) {
            outcome = try FlagParser(RunFlags.table, interspersed: false).parse(words[...], into: &draft)
        } catch {
            return try expect(!error.description.isEmpty, "an error without words")
        }
        try expect(outcome.positionals.count <= words.count, "more words than there were")
        try expect(Array(words.suffix(outcome.positionals.count)) == outcome.positionals, "words \(words)")
        guard let image = outcome.positionals.first,
            let (request, _) = try? draft.finish(image: image, command: Array(outcome.positionals.dropFirst()))
        else { return }
        var targets: Set<String> = []
        for mount in request.mounts {
            try checkTarget(mount.target)
            try expect(targets.insert(mount.target).inserted, "two mounts on \(mount.target)")
        }
        // Rights are only given where a word asks for them.
        if request.isolation.privileged || !request.isolation.addedCapabilities.isEmpty
            || request.isolation.pid == .host
        {
            let asked = words.contains {
                $0.hasPrefix("--privileged") || $0.hasPrefix("--cap-add") || $0.hasPrefix("--pid")
            }
            try expect(asked, "rights that nobody asked for: \(words)")
        }
    }
}
