internal import OCI

/// Z5: names of images and digests. What is read prints as something that reads as the same, and is what the grammars
/// allow.
package enum ReferenceFuzz {
    package static func run(_ bytes: [UInt8]) throws(Finding) {
        let text = String(decoding: bytes, as: UTF8.self)
        try checkDigest(text)
        try expect(Reference.isTag(text) == Grammar.isTag(Array(text.utf8)), "tag \(text)")
        let reference: Reference
        do throws(ReferenceError) {
            reference = try Reference(parsing: text)
        } catch {
            try expect(Grammar.name(text) == nil, "refused a good name: \(error)")
            try expect(!error.description.utf8.contains { $0 < 0x20 }, "control character in \(error)")
            return
        }
        guard let wanted = Grammar.name(text) else { throw Finding("accepted \(text) as \(reference)") }
        try expect(
            reference.tag == wanted.tag && reference.digest?.description == wanted.digest,
            "\(text) read as \(reference)")
        try expect(reference.repository.hasSuffix(wanted.path), "\(text) read as \(reference)")
        try checkRoundTrip(reference)
    }

    private static func checkRoundTrip(_ reference: Reference) throws(Finding) {
        try expect((try? Reference(parsing: reference.canonical)) == reference, "\(reference) does not read as itself")
        try expect(
            (try? Reference(parsing: reference.familiar)) == reference, "\(reference.familiar) is not \(reference)")
        let tagged = reference.tagged
        try expect(tagged.tag != nil || tagged.digest != nil, "\(tagged) has neither tag nor digest")
        // Names become paths and URLs.
        for part in reference.path.split(separator: "/", omittingEmptySubsequences: false) {
            try expect(!part.isEmpty && part != "." && part != "..", "component \(part) of \(reference)")
        }
        let isPlain = reference.canonical.utf8.allSatisfy { $0 > 0x20 && $0 < 0x7f && $0 != UInt8(ascii: "%") }
        try expect(isPlain, "\(reference) has odd characters")
    }

    private static func checkDigest(_ text: String) throws(Finding) {
        let digest = try? Digest(parsing: text)
        try expect((digest != nil) == Grammar.isDigest(Array(text.utf8)), "digest \(text)")
        guard let digest else { return }
        try expect(digest.description == text && (try? Digest(parsing: digest.description)) == digest, "digest \(text)")
        try expect(digest.hex.utf8.count == digest.algorithm.hexLength, "length of \(text)")
    }

    /// The grammar of distribution/reference, rule by rule.
    private enum Grammar {
        private static func isAlphanumeric(_ byte: UInt8) -> Bool {
            isLower(byte) || (UInt8(ascii: "A")...UInt8(ascii: "Z")).contains(byte)
        }

        private static func isLower(_ byte: UInt8) -> Bool {
            (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte) || isDigit(byte)
        }

        private static func isDigit(_ byte: UInt8) -> Bool { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) }

        static func isDigest(_ text: [UInt8]) -> Bool {
            for (prefix, length) in [("sha256:", 64), ("sha512:", 128)] where text.starts(with: prefix.utf8) {
                let hex = text.dropFirst(prefix.utf8.count)
                return hex.count == length && hex.allSatisfy { "0123456789abcdef".utf8.contains($0) }
            }
            return false
        }

        static func isTag(_ text: [UInt8]) -> Bool {
            let isWord = { (byte: UInt8) in isAlphanumeric(byte) || byte == UInt8(ascii: "_") }
            return (1...128).contains(text.count) && text.first.map(isWord) == true
                && text.allSatisfy { isWord($0) || ".-".utf8.contains($0) }
        }

        /// domain? path (":" tag)? ("@" digest)?
        static func name(_ text: String) -> (path: String, tag: String?, digest: String?)? {
            var name = Array(text.utf8)
            let hex = name.allSatisfy { "0123456789abcdef".utf8.contains($0) }
            if hex, name.count == 64 { return nil }
            var digest: String?
            if let at = name.firstIndex(of: UInt8(ascii: "@")) {
                let rest = Array(name[(at + 1)...])
                guard isDigest(rest) else { return nil }
                digest = String(decoding: rest, as: UTF8.self)
                name = Array(name[..<at])
            }
            var domain: [UInt8] = []
            if let slash = name.firstIndex(of: UInt8(ascii: "/")), isDomainLike(Array(name[..<slash])) {
                domain = Array(name[..<slash])
                name = Array(name[(slash + 1)...])
                guard isDomain(domain) else { return nil }
            }
            var tag: String?
            if let colon = name.firstIndex(of: UInt8(ascii: ":")) {
                let rest = Array(name[(colon + 1)...])
                guard isTag(rest) else { return nil }
                tag = String(decoding: rest, as: UTF8.self)
                name = Array(name[..<colon])
            }
            let parts = name.split(separator: UInt8(ascii: "/"), omittingEmptySubsequences: false)
            guard parts.allSatisfy({ isComponent(Array($0)) }) else { return nil }
            let isHub = domain.isEmpty || domain.equals("docker.io") || domain.equals("index.docker.io")
            let path = (isHub && parts.count == 1 ? "library/" : "") + String(decoding: name, as: UTF8.self)
            return path.utf8.count <= 255 ? (path, tag, digest) : nil
        }

        private static func isDomainLike(_ text: [UInt8]) -> Bool {
            text.contains(UInt8(ascii: ".")) || text.contains(UInt8(ascii: ":")) || text.equals("localhost")
                || text.first == UInt8(ascii: "[")
        }

        private static func isDomain(_ text: [UInt8]) -> Bool {
            var host = text
            if text.first == UInt8(ascii: "["), let end = text.firstIndex(of: UInt8(ascii: "]")) {
                let address = text[1..<end]
                guard !address.isEmpty, address.allSatisfy({ "0123456789abcdefABCDEF:".utf8.contains($0) }) else {
                    return false
                }
                host = Array(text[(end + 1)...])
                return host.isEmpty || host.first == UInt8(ascii: ":") && isPort(host.dropFirst())
            }
            if let colon = host.firstIndex(of: UInt8(ascii: ":")) {
                guard isPort(host[(colon + 1)...]) else { return false }
                host = Array(host[..<colon])
            }
            return host.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false).allSatisfy { label in
                guard let first = label.first, let last = label.last else { return false }
                return isAlphanumeric(first) && isAlphanumeric(last)
                    && label.allSatisfy { isAlphanumeric($0) || $0 == UInt8(ascii: "-") }
            }
        }

        private static func isPort(_ text: ArraySlice<UInt8>) -> Bool {
            guard !text.isEmpty, text.allSatisfy(isDigit) else { return false }
            return text.reduce(0) { min(70000, $0 * 10 + Int($1 - 0x30)) }.magnitude.isPort
        }

        /// Runs of lower-case letters and digits with one separator between each two: ".", "_", "__" or hyphens.
        private static func isComponent(_ text: [UInt8]) -> Bool {
            var rest = text[...]
            while true {
                let run = rest.prefix(while: isLower)
                guard !run.isEmpty else { return false }
                rest = rest.dropFirst(run.count)
                if rest.isEmpty { return true }
                let separator = rest.prefix { !isLower($0) }
                let isHyphens = separator.allSatisfy { $0 == UInt8(ascii: "-") }
                guard isHyphens || separator.equals(".") || separator.equals("_") || separator.equals("__") else {
                    return false
                }
                rest = rest.dropFirst(separator.count)
            }
        }
    }
}

extension UInt {
    fileprivate var isPort: Bool { (1...65535).contains(self) }
}
