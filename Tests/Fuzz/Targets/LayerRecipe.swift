/// Layers from a few bytes: each three are one member, so that a mutation changes what a layer says and not whether its
/// tar can be read.
struct LayerRecipe {
    /// The layers' tars, bottom first.
    private(set) var layers: [[UInt8]] = [[]]
    /// What the bytes say, for messages.
    private(set) var script: [String] = []

    private static let largestCount = 4
    private static let names = ["a", "b", "c"]
    private static let targets = [
        "a", "b", "/a", "../b", "a/b", "..", "/", "c/../a", "missing", "./a/../../c", "/b/c", ".",
    ]

    init(_ bytes: [UInt8]) {
        var time: Int64 = 1_000_000
        for start in stride(from: 0, to: bytes.count - 2, by: 3) {
            time += 1
            add(bytes[start], LayerRecipe.path(bytes[start + 1]), bytes[start + 2], time)
        }
        layers = layers.map { $0 + [UInt8](repeating: 0, count: 1024) }
    }

    /// One to three names.
    private static func path(_ byte: UInt8) -> [String] {
        let depth = 1 + Int(byte >> 6) % 3
        return (0..<depth).map { names[Int(byte >> (2 * $0) & 3) % names.count] }
    }

    private mutating func add(_ kind: UInt8, _ parts: [String], _ extra: UInt8, _ time: Int64) {
        let path = parts.joined(separator: "/")
        let parent = parts.dropLast().map { $0 + "/" }.joined()
        let last = parts.last ?? "a"
        switch kind % 12 {
        case 0 where layers.count < LayerRecipe.largestCount:
            script.append("-- layer")
            layers.append([])
        case 1, 2: member(path, "0", extra, time, data: "\(extra) \(time)")
        case 3, 4: member(path + (extra & 1 == 0 ? "/" : ""), "5", extra, time)
        case 5: member(path, "2", extra, time, link: LayerRecipe.targets[Int(extra) % LayerRecipe.targets.count])
        case 6:
            let target = LayerRecipe.path(extra).joined(separator: "/")
            member(path, "1", extra, time, link: extra & 32 == 0 ? target : "/" + target)
        case 7, 8: member("\(parent).wh.\(last)", "0", 0, time)
        case 9: member("\(path)/.wh..wh..opq", "0", 0, time)
        case 10: member(extra & 3 == 0 ? ".wh..wh..opq" : "\(parent).wh..wh..opq", "0", 0, time)
        case 11: extra & 1 == 0 ? member(path, "6", extra, time) : member("./", "5", extra, time)
        default: break
        }
    }

    private mutating func member(
        _ name: String, _ type: Character, _ extra: UInt8, _ time: Int64, link: String = "", data: String = ""
    ) {
        script.append("\(type) \(name)\(link.isEmpty ? "" : " -> " + link)")
        var block = [UInt8](repeating: 0, count: 512)
        func put(_ text: String, _ offset: Int) {
            block.replaceSubrange(offset..<(offset + text.utf8.count), with: text.utf8)
        }
        func octal(_ value: Int64) -> String {
            let digits = String(value, radix: 8)
            return String(repeating: "0", count: 7 - digits.utf8.count) + digits
        }
        put(name, 0)
        put(octal([0o644, 0o755, 0o1777, 0o2750][Int(extra >> 6)]), 100)
        put(octal(Int64(extra >> 4 & 3)), 108)
        put(octal(Int64(extra >> 5 & 1)), 116)
        put(octal(Int64(data.utf8.count)), 124)
        put(octal(time), 136)
        put(String(type), 156)
        put(link, 157)
        put("ustar\u{0}00", 257)
        TarSeal.seal(&block, at: 0)
        var contents = Array(data.utf8)
        contents += [UInt8](repeating: 0, count: (512 - contents.count % 512) % 512)
        layers[layers.count - 1] += block + contents
    }
}

/// Check sums of tar headers.
package enum TarSeal {
    /// Writes the check sum of the header at `start`, which has 512 bytes.
    static func seal(_ bytes: inout [UInt8], at start: Int) {
        for index in 148..<156 { bytes[start + index] = 0x20 }
        let sum = bytes[start..<(start + 512)].reduce(0) { $0 + Int($1) }
        let digits = String(sum, radix: 8)
        let text = String(repeating: "0", count: 6 - digits.utf8.count) + digits + "\0 "
        bytes.replaceSubrange((start + 148)..<(start + 156), with: text.utf8)
    }

    /// Seals whatever stands where a reader will look for a header.
    package static func sealAll(_ bytes: inout [UInt8]) {
        var at = 0
        while at + 512 <= bytes.count {
            let block = bytes[at..<(at + 512)]
            if block.allSatisfy({ $0 == 0 }) {
                at += 512
                continue
            }
            seal(&bytes, at: at)
            let type = bytes[at + 156]
            let isHeaderOnly = (UInt8(ascii: "1")...UInt8(ascii: "6")).contains(type)
            let digits = bytes[(at + 124)..<(at + 136)].prefix { (0x30...0x37).contains($0) }
            let size = digits.reduce(0) { $0 &* 8 &+ Int($1 & 7) }
            at += 512
            if !isHeaderOnly, size > 0, size <= bytes.count - at { at += (size + 511) / 512 * 512 }
        }
    }
}
