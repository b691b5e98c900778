internal import Sys
internal import TestSupport

/// One of the package's Swift files.
struct SourceFile {
    /// Relative to the package.
    let path: String
    let lines: [String]

    /// The modules of its import lines: `package import struct A.B` is `A`.
    var imports: [String] {
        lines.compactMap { line in
            let words = line.split(separator: " ")
            guard let position = words.firstIndex(of: "import"), position <= 2,
                words[..<position].allSatisfy({
                    ["internal", "package", "public", "private", "@testable"].contains($0)
                })
            else { return nil }
            let kinds: Set<Substring> = ["struct", "class", "enum", "protocol", "func", "var", "let", "typealias"]
            guard let name = words.dropFirst(position + 1).first(where: { !kinds.contains($0) }) else { return nil }
            return name.split(separator: ".").first.map(String.init)
        }
    }

    /// All files below a directory of the package that end so, Swift files unless told otherwise.
    static func all(below directory: String, endings: [String] = [".swift"]) throws -> [SourceFile] {
        var result: [SourceFile] = []
        var waiting = [directory]
        while let next = waiting.popLast() {
            for entry in try Directory.entries("\(PackageTree.root)/\(next)") {
                let path = "\(next)/\(entry.name)"
                if try File.status("\(PackageTree.root)/\(path)").isDirectory {
                    waiting.append(path)
                } else if endings.contains(where: path.hasSuffix) {
                    let text = String(decoding: try File.readAll("\(PackageTree.root)/\(path)"), as: UTF8.self)
                    let lines = text.split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
                    result.append(SourceFile(path: path, lines: lines))
                }
            }
        }
        return result.sorted { $0.path < $1.path }
    }
}
