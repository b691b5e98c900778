package import OCI
internal import Sys

/// A range of addresses that is dealt out in subnets of one size.
package struct AddressPool: Sendable, Hashable {
    package var base: IPPrefix
    package var size: Int

    package init(_ base: IPPrefix, size: Int) {
        self.base = base.network
        self.size = size
    }
}

/// Subnets for networks that were made without one.
package enum SubnetPools {
    /// docker's: 172.17.0.0/16 to 172.31.0.0/16, then 192.168.0.0/16 in pieces.
    package static let usual: [AddressPool] =
        (UInt32(17)...31).compactMap { number in
            IPPrefix(IPAddress(0xac00_0000 | number << 16), length: 16).map { AddressPool($0, size: 16) }
        } + [IPPrefix(IPAddress(0xc0a8_0000), length: 16).map { AddressPool($0, size: 20) }].compactMap { $0 }

    /// The first subnet that overlaps none of `taken`; nil where all do.
    package static func free(in pools: [AddressPool], apartFrom taken: [IPPrefix]) -> IPPrefix? {
        for pool in pools {
            if let prefix = free(in: pool, apartFrom: taken) { return prefix }
        }
        return nil
    }

    private static func free(in pool: AddressPool, apartFrom taken: [IPPrefix]) -> IPPrefix? {
        var candidate = IPPrefix(pool.base.address, length: pool.size)
        while let prefix = candidate {
            guard let other = taken.first(where: { $0.overlaps(prefix) }) else { return prefix }
            // Prefixes lie one in the other or apart: behind the larger one the next of this size begins.
            let last = max(prefix.last, other.last)
            let next = last.advanced(by: 1)
            guard next > last, pool.base.contains(next) else { return nil }
            candidate = IPPrefix(next, length: pool.size)
        }
        return nil
    }

    /// A subnet of version 6 that is nobody else's in all likelihood (RFC 4193).
    package static func uniqueLocal() -> IPPrefix? {
        let digits = Random.hex(bytes: 5)
        let words = [digits.prefix(2), digits.dropFirst(2).prefix(4), digits.dropFirst(6)]
        return IPPrefix("fd\(words[0]):\(words[1]):\(words[2])::/64")
    }
}
