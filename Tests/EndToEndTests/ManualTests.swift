internal import Sys
internal import TestSupport
import Testing

/// The manual, as readers of man pages and checkers of them see it.
@Suite(.enabled(if: Conditions.hasBinaries, "the executables are not built"))
struct ManualTests {
    private static func pages() throws -> Scratch {
        let scratch = try Scratch()
        try Tool.check(
            Runimg.path, ["__man", scratch("man1")], environment: ["SOURCE_DATE_EPOCH": "1763700000", "TZ": "UTC"])
        return scratch
    }

    private static func names(_ scratch: Scratch) throws -> [String] {
        try Directory.entries(scratch("man1")).map(\.name).sorted()
    }

    @Test(.enabled(if: Conditions.has("mandoc"), "needs mandoc"))
    func mandocHasNothingToSay() throws {
        let scratch = try Self.pages()
        let names = try Self.names(scratch)
        #expect(names.count > 80)
        // Of the names of other pages nothing is known where they are not installed.
        let output = try Tool.run(
            "mandoc", ["-T", "lint", "-W", "warning"] + names.map { "man1/\($0)" }, directory: scratch.path)
        #expect(output.status == 0, "\(output.stdout)\(output.stderr)")
    }

    @Test(.enabled(if: Conditions.has("groff"), "needs groff"))
    func groffHasNothingToSay() throws {
        let scratch = try Self.pages()
        for name in try Self.names(scratch) {
            let output = try Tool.run(
                "groff", ["-ww", "-man", "-Tascii", "-z", "-I.", "man1/\(name)"], directory: scratch.path)
            #expect(output.status == 0 && output.stderr.isEmpty, "\(name): \(output.stderr)")
        }
    }

    @Test(.enabled(if: Conditions.has("mandoc"), "needs mandoc"))
    func aPageSaysWhatThereIsToSay() throws {
        let scratch = try Self.pages()
        let text = try Tool.check("mandoc", ["-T", "ascii", scratch("man1/runimg-run.1")]).stdout
            .replacing(#/.\u{8}/#, with: "")
        for part in [
            "runimg-run - make a container from an image and run it", "runimg run [OPTIONS] IMAGE [COMMAND] [ARG...]",
            "Also: runimg container run", "-m, --memory bytes", "\"missing\"", "EXIT STATUS", "127", "EXAMPLES",
            "runimg run -it --rm alpine sh", "SEE ALSO", "runimg-exec(1)", "--gpus",
        ] {
            #expect(text.contains(part), "\(part)")
        }
        // Refused for good, or hidden: nothing for a manual.
        #expect(!text.contains("--cpu-percent"))
        let alias = try Tool.check("mandoc", ["-T", "ascii", "man1/runimg-image-ls.1"], directory: scratch.path).stdout
        #expect(alias.replacing(#/.\u{8}/#, with: "").contains("runimg-images - list images"))
    }

    @Test func theSameSourcesMakeTheSamePages() throws {
        let (one, other) = (try Self.pages(), try Self.pages())
        for name in try Self.names(one) {
            #expect(try File.readAll(one("man1/\(name)")) == File.readAll(other("man1/\(name)")), "\(name)")
        }
    }
}
