internal import Glibc
package import OCI
internal import Sys

/// The addresses of one network that somebody holds: `DIRECTORY/ADDRESS` is a link to the holder's run directory. Making it
/// takes the address, whoever else tries; one that leads nowhere is a dead holder's, and free. Only that no dead one is
/// cleared away twice needs the caller's lock.
package struct AddressLeases: Sendable {
    private let directory: String

    package init(directory: String) { self.directory = directory }

    /// Where the search for the next address goes on: one that was given back is not given away at once, since others may
    /// still know it by its old MAC address (arp(7)).
    private static func cursor(_ range: IPPrefix) -> String { range.isVersion6 ? "next6" : "next" }

    /// Takes a free address of `range` for the holder of the run directory `holder`: the next one that is not among
    /// `reserved`, or else `wanted` alone.
    ///
    /// - Throws: `noAddress`, when all are taken, or the one that was asked for is.
    package func take(
        for holder: String, from range: IPPrefix, reserved: Set<IPAddress>, wanted: IPAddress? = nil
    ) throws(NetworkError) -> IPAddress {
        do throws(Errno) {
            if let wanted {
                if !reserved.contains(wanted), try claim(wanted, for: holder) { return wanted }
                throw Errno.exists
            }
            let first = range.network.address
            let count = range.last.distance(from: first)
            let start = next(in: range) ?? first
            var address = start
            // All once, and no more of version 6 than can be in use.
            for _ in 0...min(count, 1 << 20) {
                if !reserved.contains(address), try claim(address, for: holder) {
                    try remember(address, in: range)
                    return address
                }
                address = address == range.last ? first : address.advanced(by: 1)
            }
        } catch {
            guard error == .exists, let wanted else {
                throw .system(SystemFailure("take an address in", directory, error))
            }
            throw .addressTaken(wanted, by: self.holder(of: wanted).map { Path.split($0).name })
        }
        throw .noAddress(range)
    }

    /// Writes down again that the holder has it, where that was lost; what is written already stays.
    package func restore(_ address: IPAddress, of holder: String) throws(NetworkError) {
        do throws(Errno) {
            _ = try claim(address, for: holder)
        } catch {
            throw .system(SystemFailure("restore the lease of \(address) in", directory, error))
        }
    }

    /// Gives an address back, unless it is another's by now.
    package func release(_ address: IPAddress, of holder: String) throws(NetworkError) {
        let path = "\(directory)/\(address)"
        do throws(Errno) {
            guard try File.readLink(path) == holder else { return }
            try File.unlink(path)
        } catch {
            if error != .noEntry { throw .system(SystemFailure("remove the lease", path, error)) }
        }
    }

    /// The holders that are there, each once.
    package func holders() -> [String] {
        let names = ((try? Directory.entries(directory)) ?? []).map(\.name)
        return Set(names.filter { IPAddress($0) != nil }.compactMap { try? File.readLink("\(directory)/\($0)") })
            .filter { File.exists($0) }.sorted()
    }

    /// Who holds it, dead or not.
    private func holder(of address: IPAddress) -> String? { try? File.readLink("\(directory)/\(address)") }

    private func claim(_ address: IPAddress, for holder: String) throws(Errno) -> Bool {
        let path = "\(directory)/\(address)"
        do throws(Errno) {
            try File.symlink(holder, path)
            return true
        } catch .exists {
            // A dead one's entry is gone when nothing of its network is left.
            guard let other = self.holder(of: address), !File.exists(other) else { return false }
            try File.unlink(path)
            try File.symlink(holder, path)
            return true
        }
    }

    /// Only a hint: torn or missing, the search begins at the front.
    private func remember(_ address: IPAddress, in range: IPPrefix) throws(Errno) {
        let path = "\(directory)/\(AddressLeases.cursor(range))"
        let file = try File.open(path, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW, mode: 0o600)
        try File.write(file.raw, "\(address)")
    }

    private func next(in range: IPPrefix) -> IPAddress? {
        guard let bytes = try? File.readAll("\(directory)/\(AddressLeases.cursor(range))", limit: 64),
            let last = IPAddress(String(decoding: bytes, as: UTF8.self)), range.contains(last), last != range.last
        else { return nil }
        return last.advanced(by: 1)
    }
}
