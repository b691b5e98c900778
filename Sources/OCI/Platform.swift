/// Operating system, architecture and variant, in Go's names (OCI image spec, image-index.md).
package struct Platform: Hashable, Sendable, Codable {
    package var architecture: String
    package var os: String
    package var variant: String?
    package var osVersion: String?

    private enum CodingKeys: String, CodingKey {
        case architecture, os, variant
        case osVersion = "os.version"
    }

    package init(os: String, architecture: String, variant: String? = nil) {
        self.os = os
        self.architecture = architecture
        self.variant = variant
    }

    package struct ParseError: Error, Equatable, CustomStringConvertible {
        package let text: String
        package var description: String {
            "invalid platform \"\(text)\": want OS/ARCHITECTURE[/VARIANT], such as linux/arm64/v8"
        }
    }

    /// `linux/arm64/v8`, `linux/amd64`, or an architecture alone.
    package init(parsing text: String) throws(ParseError) {
        let parts = text.lowercased().split(separator: "/", omittingEmptySubsequences: false).map(String.init)
        let valid = parts.allSatisfy { part in
            !part.isEmpty && part.utf8.allSatisfy { Platform.isNameByte($0) }
        }
        guard valid, (1...3).contains(parts.count) else { throw ParseError(text: text) }
        if parts.count == 1 {
            self.init(os: parts[0] == "linux" ? "linux" : Platform.current.os, architecture: parts[0])
            if parts[0] == "linux" { architecture = Platform.current.architecture }
        } else {
            self.init(os: parts[0], architecture: parts[1], variant: parts.count == 3 ? parts[2] : nil)
        }
        self = normalized
    }

    private static func isNameByte(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"),
            UInt8(ascii: "-"), UInt8(ascii: "."):
            true
        default: false
        }
    }

    /// The machine that this program was built for.
    package static var current: Platform {
        #if arch(arm64)
            Platform(os: "linux", architecture: "arm64", variant: "v8")
        #elseif arch(x86_64)
            Platform(os: "linux", architecture: "amd64")
        #elseif arch(arm)
            Platform(os: "linux", architecture: "arm", variant: "v7")
        #else
            Platform(os: "linux", architecture: "unknown")
        #endif
    }

    /// uname's spellings become Go's, and an ARM variant that goes without saying is said.
    package var normalized: Platform {
        var result = self
        switch architecture {
        case "x86_64", "x86-64": result.architecture = "amd64"
        case "i386", "i686", "x86": result.architecture = "386"
        case "aarch64": result.architecture = "arm64"
        case "armhf": (result.architecture, result.variant) = ("arm", variant ?? "v7")
        case "armel": (result.architecture, result.variant) = ("arm", variant ?? "v6")
        default: break
        }
        if let variant, variant.first?.isNumber == true { result.variant = "v" + variant }
        switch (result.architecture, result.variant) {
        case ("arm64", nil): result.variant = "v8"
        case ("arm", nil): result.variant = "v7"
        case ("amd64", "v1"): result.variant = nil
        default: break
        }
        return result
    }

    /// How well an image made for `candidate` runs here: 0 is exact, higher is worse, nil does not run. An ARM machine
    /// runs the variants below its own.
    package func distance(to candidate: Platform) -> Int? {
        let mine = normalized
        let other = candidate.normalized
        guard mine.os == other.os, mine.architecture == other.architecture else { return nil }
        if mine.variant == other.variant { return 0 }
        guard let level = Platform.level(mine.variant), let wanted = Platform.level(other.variant) else { return nil }
        return wanted <= level ? level - wanted : nil
    }

    private static func level(_ variant: String?) -> Int? {
        guard let variant else { return 1 }
        guard variant.first == "v" else { return nil }
        return Int(variant.dropFirst().prefix { $0 != "." })
    }
}

extension Platform: CustomStringConvertible {
    package var description: String {
        let base = "\(os)/\(architecture)"
        guard let variant, !variant.isEmpty else { return base }
        return "\(base)/\(variant)"
    }
}
