internal import Sys
internal import TestSupport
import Testing

/// Rules that the compiler and the formatter do not know.
@Suite struct SourceTests {
    @Test(arguments: ["Sources", "Tests"]) func noFileIsTooLongToRead(_ directory: String) throws {
        for file in try SourceFile.all(below: directory) where file.lines.count > 400 {
            Issue.record("\(file.path) has \(file.lines.count) lines; split it by subject")
        }
    }

    @Test func nothingImportsFoundationWhole() throws {
        // Dynamic Foundation alone costs a start of 5 ms; FoundationEssentials has the JSON.
        for directory in ["Sources", "Tests"] {
            for file in try SourceFile.all(below: directory) where file.imports.contains("Foundation") {
                Issue.record("\(file.path) imports Foundation")
            }
        }
    }

    @Test func noSourceStopsTheProgramOnForeignInput() throws {
        let forbidden = ["try!", "as!", "fatalError(", "@unchecked Sendable", "TODO", "FIXME"]
        for file in try SourceFile.all(below: "Sources") {
            for (number, line) in file.lines.enumerated() {
                for word in forbidden where line.contains(word) {
                    let previous = number > 0 ? file.lines[number - 1] : ""
                    let explained = word == "@unchecked Sendable" && previous.contains("//")
                    if !explained { Issue.record("\(file.path):\(number + 1): \(word)") }
                }
            }
        }
    }

    @Test(
        .enabled(if: File.exists("\(PackageTree.root)/.git") && Conditions.has("git"), "needs git and its repository"))
    func theTopLevelHoldsWhatItShould() throws {
        let known: Set<String> = [
            "Package.swift", "Sources", "Tests", "CShims", "rootfs-fixtures", "README.md", "CHANGELOG.md",
            "ARCHITECTURE.md", "SECURITY.md",
            "Makefile",
            "LICENSE", ".ci", ".swift-format", ".gitignore",
        ]
        let listed = try Tool.check("git", ["-c", "safe.directory=*", "-C", PackageTree.root, "ls-files"]).lines
        let top = Set(listed.compactMap { $0.split(separator: "/").first.map(String.init) })
        #expect(top.subtracting(known).isEmpty)
    }
}
