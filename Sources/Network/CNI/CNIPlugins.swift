internal import OCI
internal import Sys

/// The directories of CNI's plugins, and how these are asked.
package struct CNIPlugins: Sendable {
    package static let usual = ["/opt/cni/bin", "/usr/lib/cni"]

    private let directories: [String]
    /// A descriptor that each plugin inherits: who was asked by a command that is dead still holds its lock.
    private let lock: Int32?

    package init(directories: [String], lock: Int32? = nil) {
        self.directories = directories
        self.lock = lock
    }

    /// Puts the container in the network namespace at the path `namespace` onto the network.
    package func add(_ attachment: inout CNIAttachment, namespace: String) throws(NetworkError) {
        let network = try attachment.described()
        var result: JSONValue?
        for plugin in network.plugins {
            let input = network.input(of: plugin, attachment.offered, previous: result)
            let output = try ask("ADD", plugin, network, attachment, namespace, input)
            guard let answer = try? JSONValue(parsing: output), answer.object != nil else {
                throw failure("ADD", plugin, network, "it printed no result: \(CNIPlugins.excerpt(output))")
            }
            result = answer
        }
        attachment.result = result?.text
    }

    /// Takes it off again, by all plugins in the opposite order, also where one of them fails; throws the first failure.
    /// `namespace` is nil where that is gone.
    package func delete(_ attachment: CNIAttachment, namespace: String?) throws(NetworkError) {
        let network = try attachment.described()
        let known = network.tellsResultToDelete ? attachment.result : nil
        let previous = known.flatMap { try? JSONValue(parsing: Array($0.utf8)) }
        var first: NetworkError?
        for plugin in network.plugins.reversed() {
            do throws(NetworkError) {
                let input = network.input(of: plugin, attachment.offered, previous: previous)
                _ = try ask("DEL", plugin, network, attachment, namespace, input)
            } catch {
                first = first ?? error
            }
        }
        if let first { throw first }
    }

    /// What the plugin prints.
    private func ask(
        _ command: String, _ plugin: JSONValue, _ network: CNINetwork, _ attachment: CNIAttachment,
        _ namespace: String?, _ input: JSONValue
    ) throws(NetworkError) -> [UInt8] {
        let type = plugin["type"]?.string ?? ""
        guard let program = directories.lazy.map({ "\($0)/\(type)" }).first(where: { File.exists($0) }) else {
            throw failure(
                command, plugin, network,
                "there is no such program in \(directories.joined(separator: " and "))")
        }
        let answer: CNIProcess.Answer
        do throws(Errno) {
            answer = try CNIProcess.run(
                program, environment: environment(command, attachment, namespace), input: Array(input.text.utf8),
                lock: lock)
        } catch {
            throw failure(command, plugin, network, "\(program): \(error)")
        }
        if let complaint = answer.complaint { throw failure(command, plugin, network, complaint) }
        return answer.output
    }

    private func environment(_ command: String, _ attachment: CNIAttachment, _ namespace: String?) -> [String] {
        // Plugins run iptables and the like.
        let standard = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
        return [
            "CNI_COMMAND=\(command)", "CNI_CONTAINERID=\(attachment.container)", "CNI_NETNS=\(namespace ?? "")",
            "CNI_IFNAME=\(attachment.interface)", "CNI_ARGS=IgnoreUnknown=1",
            "CNI_PATH=\(directories.joined(separator: ":"))",
            "PATH=\(Environment["PATH"].map { "\($0):" } ?? "")\(standard)",
        ]
    }

    private func failure(
        _ command: String, _ plugin: JSONValue, _ network: CNINetwork, _ why: String
    ) -> NetworkError {
        .cni("network cni:\(network.name): plugin \(plugin["type"]?.string ?? "") failed at \(command): \(why)")
    }

    /// The beginning of what was to be JSON.
    static func excerpt(_ bytes: [UInt8]) -> String {
        let text = String(decoding: bytes.prefix(200), as: UTF8.self).split(separator: "\n").joined(separator: "; ")
        return text.isEmpty ? "nothing" : "\(ForeignText(text))"
    }
}
