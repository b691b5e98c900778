internal import Glibc
internal import Sys
internal import TestSupport
import Testing

/// `File.replace`: the old file or the new one, and nothing else, at any moment.
@Suite struct ReplaceTests {
    @Test func theNewContentsAreThereAndNothingElse() throws {
        let scratch = try Scratch()
        let path = scratch("record")
        try File.replace(path, with: Array("one".utf8), mode: 0o600)
        try File.replace(path, with: Array("two, longer".utf8), mode: 0o640)
        #expect(try File.readAll(path) == Array("two, longer".utf8))
        #expect(try File.status(path).mode == 0o640)
        try File.replace(path, with: [])
        #expect(try File.readAll(path) == [])
        #expect(try Directory.entries(scratch.path).map(\.name) == ["record"])
    }

    @Test func aFailureLeavesTheOldFileAndNoOther() throws {
        let scratch = try Scratch()
        try scratch.directory("record/inside")
        do {
            try File.replace(scratch("record"), with: [1])
            Issue.record("a directory was replaced by a file")
        } catch {
            #expect(error.errno == .isDirectory && error.subject == scratch("record"))
            #expect("\(error)".contains(scratch("record")) && "\(error)".contains("EISDIR"))
        }
        #expect(try Directory.entries(scratch.path).map(\.name) == ["record"])
        #expect(throws: SystemFailure.self) { try File.replace(scratch("none/record"), with: [1]) }
    }

    @Test func aLinkIsReplacedNotFollowed() throws {
        let scratch = try Scratch()
        try scratch.file("target", "kept")
        try File.symlink("target", scratch("record"))
        try File.replace(scratch("record"), with: Array("new".utf8))
        #expect(try File.readAll(scratch("target")) == Array("kept".utf8))
        #expect(try File.status(scratch("record")).isRegular)
    }

    @Test func aNameOfTheGreatestLengthCanBeReplaced() throws {
        let scratch = try Scratch()
        let name = String(repeating: "n", count: 255)
        try File.replace(scratch(name), with: [1])
        #expect(try File.readAll(scratch(name)) == [1])
        #expect(throws: SystemFailure.self) { try File.replace(scratch(name + "n"), with: [1]) }
    }

    @Test func aReaderNeverSeesAPart() throws {
        let scratch = try Scratch()
        let path = scratch("record")
        try File.replace(path, with: [UInt8](repeating: 0, count: 100_000))
        let torn = Monitor(0)
        let done = Monitor(false)
        let reader = try JoinableThread {
            while !done.read(\.self) {
                guard let bytes = try? File.readAll(path) else { continue }
                if bytes.count != 100_000 || bytes.contains(where: { $0 != bytes[0] }) { torn.update { $0 += 1 } }
            }
        }
        for round in 1...100 { try File.replace(path, with: [UInt8](repeating: UInt8(round), count: 100_000)) }
        done.update { $0 = true }
        reader.join()
        #expect(torn.read(\.self) == 0)
    }
}
