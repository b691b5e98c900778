internal import Sys
internal import TestSupport
import Testing

extension EndToEnd {
    /// What commands cost beside many containers, counted in system calls.
    @Suite(.enabled(if: SyscallFaults.isPossible, "\(SyscallFaults.requirements)")) struct Density {
        private static func calls(_ runimg: Runimg, _ arguments: [String]) throws -> Int {
            let log = runimg.scratch("calls")
            let output = try runimg.run(arguments, under: ["strace", "-f", "-qq", "-o", log])
            #expect(output.status == 0, "\(output)")
            return String(decoding: try File.readAll(log), as: UTF8.self).split(separator: "\n").count
        }

        @Test("ps reads little of each container that runs")
        func ofAList() throws {
            let runimg = try Leaks.settled()
            let image = try #require(try runimg.check("images", "-q").lines.first)
            func fill(_ count: Int) throws {
                for _ in 0..<count { try runimg.check("run", "-d", "--network", "none", image, "sleep", "1000") }
            }
            try fill(5)
            let few = try Self.calls(runimg, ["ps"])
            try fill(20)
            let many = try Self.calls(runimg, ["ps"])
            #expect(many - few <= 20 * 20, "\(few) calls with 5 containers, \(many) with 25")
            #expect(try runimg.check("ps", "-q").lines.count == 25)
            #expect(try runimg.check("rm", "-f", "--all").lines.count == 25)
        }

        @Test("a run costs the same beside a thousand entries as beside a hundred")
        func ofARun() throws {
            let scratch = try Scratch()
            let execRoot = try scratch.directory("run")
            let runimg = try Runimg(configuration: "{\"exec-root\": \"\(execRoot)\"}")
            try runimg.check("pull", "-q", Leaks.image)
            let image = try #require(try runimg.check("images", "-q").lines.first)
            // Another data root's, which stay as they are.
            func fill(_ numbers: Range<Int>) throws {
                for number in numbers {
                    let digits = String(number, radix: 16)
                    let id = String(repeating: "0", count: 64 - digits.utf8.count) + digits
                    try scratch.directory("run/\(id)")
                    try scratch.file(
                        "run/\(id)/state.json", "{\"version\":1,\"pid\":1,\"dataRoot\":\"/tmp\",\"isNew\":false}")
                }
            }
            let run = ["run", "--rm", "--network", "none", image, "true"]
            try fill(1..<100)
            _ = try Self.calls(runimg, run)
            let few = try Self.calls(runimg, run)
            try fill(100..<1000)
            let many = try Self.calls(runimg, run)
            // One call for each of the 900 would be more; what else differs is the container's own timing.
            #expect(many - few < 450, "\(few) calls beside 100, \(many) beside 1,000")
            #expect(try Directory.entries(execRoot).filter { $0.name.utf8.count == 64 }.count == 999)
        }
    }
}
