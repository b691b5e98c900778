import Engine
import OCI
import Sys
import TestSupport
import Testing

@testable import DockerCLI

/// docker's reading of values of flags, kept as lines of `FLAG <tab> VALUE <tab> RESULT`.
@Suite struct DockerValueTests {
    struct Line: Sendable, CustomTestStringConvertible {
        let flag: String
        let value: String
        let result: String
        var testDescription: String { "--\(flag) \(value)" }
    }

    static func lines() throws -> [Line] {
        let text = String(
            decoding: try File.readAll("\(PackageTree.root)/Tests/Fuzz/docker-values.tsv"), as: UTF8.self)
        return text.split(separator: "\n").map { line in
            let parts = line.split(separator: "\t", omittingEmptySubsequences: false).map(String.init)
            return Line(flag: parts[0], value: parts.count > 1 ? parts[1] : "", result: parts.last ?? "")
        }
    }

    @Test("Z10: values of flags are read as docker's command line reads them")
    func readsAsDockerDoes() throws {
        let lines = try Self.lines()
        #expect(lines.count > 150)
        for line in lines {
            let found = Self.read(line) ?? "refused"
            #expect(found == line.result, "--\(line.flag) '\(line.value)'")
        }
    }

    private static func read(_ line: Line) -> String? {
        let value = line.value
        switch line.flag {
        case "volume": return (try? Volumes.parse(value)).map(describe)
        case "mount": return (try? Mounts.parse(value)).map(describe)
        case "tmpfs": return (try? Tmpfs.parse(value)).map(describe)
        case "publish": return (try? PortSpecification.parse(value)).map { _ in "accepted" }
        case "ulimit": return (try? Ulimit.parse(value)).map { "\($0.type) \($0.soft) \($0.hard)" }
        case "device": return (try? Devices.parse(value)).map { "\($0.source) \($0.target) \($0.permissions)" }
        case "memory": return (try? Sizes.ram(value)).map { "\($0)" }
        case "cpus": return (try? Sizes.nanoCPUs(value)).map { "\($0)" }
        case "env-file":
            let text = value.replacing("\\n", with: "\n").replacing("\\r", with: "\r").replacing("\\t", with: "\t")
            return (try? EnvironmentFile.parse(Array(text.utf8), file: "f")).map { entries in
                entries.map { entry in entry.value.map { "\(entry.name)=\($0)" } ?? entry.name }.joined(separator: " ")
            }
        default: return "unknown flag"
        }
    }

    private static func describe(_ mount: MountRequest) -> String {
        var words: [String]
        switch mount.kind {
        case .bind(let source, _): words = ["bind", source, mount.target]
        case .volume(let name): words = ["volume", name, mount.target]
        case .anonymousVolume: words = ["anonymous", mount.target]
        case .tmpfs(let options): words = ["tmpfs", mount.target] + options
        }
        if mount.readOnly { words.append("ro") }
        if let propagation = mount.propagation { words.append(propagation) }
        if !mount.copyUp { words.append("nocopy") }
        return words.joined(separator: " ")
    }
}
