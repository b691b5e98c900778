internal import OCI
internal import Sys

/// A directory of CNI's configurations.
package struct CNIConfigurations: Sendable {
    package static let usual = "/etc/cni/net.d"
    private static let suffixes = [".conflist", ".conf", ".json"]
    private static let limit = 1 << 20

    package let directory: String

    package init(directory: String) { self.directory = directory }

    package struct Entry: Sendable, Hashable {
        package let file: String
        package let network: CNINetwork
    }

    /// In the order of the files' names; of two networks of one name the first counts. A file that can't be used hides no
    /// other: `problem` is told of it.
    package func all(problem: (String) -> Void = { _ in }) -> [Entry] {
        let names: [String]
        do throws(Errno) {
            names = try Directory.entries(directory).map(\.name).sorted()
        } catch {
            if error != .noEntry { problem("\(directory): \(error)") }
            return []
        }
        var result: [Entry] = []
        for name in names where CNIConfigurations.suffixes.contains(where: name.hasSuffix) {
            let file = "\(directory)/\(name)"
            do throws(Errno) {
                let bytes = try File.readAll(file, limit: CNIConfigurations.limit)
                do throws(CNIFault) {
                    let network = try CNINetwork(parsing: bytes)
                    if result.contains(where: { $0.network.name == network.name }) { continue }
                    result.append(Entry(file: file, network: network))
                } catch {
                    problem("\(file): \(error)")
                }
            } catch {
                problem("\(file): \(error)")
            }
        }
        return result
    }
}
