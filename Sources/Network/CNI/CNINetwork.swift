internal import OCI

/// A network as a file of CNI's configurations describes it: plugins that are run one behind the other.
package struct CNINetwork: Sendable, Hashable {
    package let name: String
    /// Of the protocol that its plugins are spoken to in.
    package let version: String
    /// Objects as they stand in the file, with keys that only their plugin knows.
    let plugins: [JSONValue]

    static let versions = ["0.3.0", "0.3.1", "0.4.0", "1.0.0", "1.1.0"]

    /// Reads a list of plugins, or a configuration of one. Throws what is wrong with it.
    package init(parsing bytes: [UInt8]) throws(CNIFault) {
        let value: JSONValue
        do throws(JSONFault) { value = try JSONValue(parsing: bytes) } catch { throw CNIFault("\(error)") }
        guard value.object != nil else { throw CNIFault("it is not an object") }
        guard let name = value["name"]?.string, CNINetwork.isName(name) else { throw CNIFault("it has no name") }
        self.name = name
        version = try CNINetwork.version(of: value)
        let plugins = value["plugins"]?.array ?? (value["type"] == nil ? [] : [value])
        if plugins.isEmpty { throw CNIFault("it names no plugins") }
        for plugin in plugins {
            // The name of a file in the plugins' directories, and no way out of them.
            guard let type = plugin["type"]?.string, CNINetwork.isName(type) else {
                throw CNIFault("one of its plugins has no type")
            }
        }
        self.plugins = plugins
    }

    /// The newest that we know of those that it may be spoken to in.
    private static func version(of value: JSONValue) throws(CNIFault) -> String {
        let listed = (value["cniVersions"]?.strings ?? []) + [value["cniVersion"]?.string ?? "0.1.0"]
        guard let found = versions.last(where: listed.contains) else {
            throw CNIFault(
                "its cniVersion is \(ForeignText(listed.joined(separator: ", "))), which is not one of "
                    + versions.joined(separator: ", "))
        }
        return found
    }

    /// As CNI's names of networks; those of containers and plugins are of the same kind.
    package static func isName(_ text: String) -> Bool {
        func isWord(_ byte: UInt8) -> Bool {
            switch byte {
            case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "a")...UInt8(ascii: "z"),
                UInt8(ascii: "A")...UInt8(ascii: "Z"):
                true
            default: false
            }
        }
        guard let first = text.utf8.first, isWord(first) else { return false }
        return text.utf8.allSatisfy { isWord($0) || "_.-".utf8.contains($0) }
    }

    /// Whether one of its plugins takes this of the runtime.
    package func takes(_ capability: String) -> Bool { plugins.contains { CNINetwork.takes(capability, $0) } }

    private static func takes(_ capability: String, _ plugin: JSONValue) -> Bool {
        plugin["capabilities"]?[capability]?.bool ?? false
    }

    /// The whole of it, to be read again where its file may have changed.
    package var text: String {
        JSONValue.object([
            "cniVersion": .string(version), "name": .string(name), "plugins": .array(plugins),
        ]).text
    }

    /// What a plugin gets on its standard input.
    func input(of plugin: JSONValue, _ capabilities: [String: JSONValue], previous: JSONValue?) -> JSONValue {
        var members = plugin.object ?? [:]
        members["name"] = .string(name)
        members["cniVersion"] = .string(version)
        members["cniVersions"] = nil
        let taken = capabilities.filter { CNINetwork.takes($0.key, plugin) }
        members["capabilities"] = nil
        members["runtimeConfig"] = taken.isEmpty ? nil : .object(taken)
        members["prevResult"] = previous
        return .object(members)
    }

    /// Whether what ADD gave is part of DEL.
    var tellsResultToDelete: Bool { !version.hasPrefix("0.3.") }
}

/// What is wrong with something of CNI's.
package struct CNIFault: Error, Hashable, CustomStringConvertible {
    package let description: String

    init(_ description: String) { self.description = description }
}
