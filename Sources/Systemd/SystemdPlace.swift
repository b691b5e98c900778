internal import OCI
internal import Sys

/// A socket at which systemd may be reached.
package struct SystemdPlace: Sendable, Hashable {
    package let path: String
    /// A message bus that passes on, and not systemd itself.
    package let isBus: Bool

    package init(path: String, isBus: Bool) {
        self.path = path
        self.isBus = isBus
    }

    /// The bus first, as runc has it: systemd's own socket is no interface that it promises; but it is there before any bus
    /// is, and where there is none.
    static func all(isUser: Bool, environment: (String) -> String? = { Environment[$0] }) -> [SystemdPlace] {
        if !isUser {
            let bus = environment("DBUS_SYSTEM_BUS_ADDRESS").flatMap(socket) ?? "/run/dbus/system_bus_socket"
            return [SystemdPlace(path: bus, isBus: true), SystemdPlace(path: "/run/systemd/private", isBus: false)]
        }
        let directory = environment("XDG_RUNTIME_DIR").flatMap { $0.isEmpty ? nil : $0 }
        let bus = environment("DBUS_SESSION_BUS_ADDRESS").flatMap(socket) ?? directory.map { "\($0)/bus" }
        var result = bus.map { [SystemdPlace(path: $0, isBus: true)] } ?? []
        if let directory { result.append(SystemdPlace(path: "\(directory)/systemd/private", isBus: false)) }
        return result
    }

    /// The first `unix:path=` of an address (D-Bus specification, "Server Addresses"); nil where it has none.
    static func socket(in address: String) -> String? {
        for part in address.split(separator: ";") {
            let halves = part.split(separator: ":", maxSplits: 1)
            guard halves.count == 2, halves[0] == "unix" else { continue }
            for pair in halves[1].split(separator: ",") where pair.hasPrefix("path=/") {
                return unescaped(pair.dropFirst(5))
            }
        }
        return nil
    }

    /// `%2c` and the like as the bytes that they are; nil for what no path has.
    private static func unescaped(_ text: Substring) -> String? {
        var bytes: [UInt8] = []
        var rest = Array(text.utf8)[...]
        while let byte = rest.popFirst() {
            if byte != UInt8(ascii: "%") {
                bytes.append(byte)
                continue
            }
            let digits = String(decoding: rest.prefix(2), as: UTF8.self)
            guard digits.utf8.count == 2, let value = UInt8(digits, radix: 16), value != 0 else { return nil }
            bytes.append(value)
            rest = rest.dropFirst(2)
        }
        return String(validating: bytes, as: UTF8.self)
    }
}
