internal import CLinux
internal import FoundationEssentials
internal import Glibc
internal import OCI
internal import Sys

/// `docker-credential-NAME`: a program that keeps credentials, spoken to over its standard input and output.
struct CredentialHelper {
    let name: String
    let environment: [String: String]
    /// A keychain may ask its owner first.
    var timeout = 60.0

    struct Failure: Error, CustomStringConvertible {
        let name: String
        let reason: String

        var description: String { plain + "; going on without" }
        var plain: String { "credential helper docker-credential-\(ForeignText(name, limit: 60)): \(reason)" }
    }

    /// What the helper keeps for `server`, or nil when it says that there is nothing.
    func get(server: String) throws(Failure) -> Credential? {
        try ask("get", input: server, hiding: []).flatMap { output throws(Failure) in try parse(output) }
    }

    func store(server: String, user: String, secret: String) throws(Failure) {
        struct Entry: Encodable {
            let ServerURL: String
            let Username: String
            let Secret: String
        }
        guard let json = try? JSONEncoder().encode(Entry(ServerURL: server, Username: user, Secret: secret)) else {
            throw fail("the credential makes no JSON")
        }
        _ = try ask("store", input: String(decoding: json, as: UTF8.self), hiding: [secret])
    }

    func erase(server: String) throws(Failure) { _ = try ask("erase", input: server, hiding: []) }

    /// nil where the helper says that it keeps nothing of the kind. What it says of a failure may be its input.
    private func ask(_ verb: String, input: String, hiding secrets: [String]) throws(Failure) -> [UInt8]? {
        let path = try locate()
        let (output, exit) = try run([path, verb], input: input)
        if case .code(0) = exit { return output }
        let text = secrets.reduce(String(decoding: output, as: UTF8.self)) { $0.replacing($1, with: "REDACTED") }
        // The protocol has no code for it, only these words.
        if text.contains("credentials not found in native keychain") || text.contains("no credentials server URL") {
            return nil
        }
        let words = text.split(whereSeparator: \.isNewline).first ?? ""
        throw fail("it failed" + (words.isEmpty ? "" : ": \(ForeignText(words))"))
    }

    private func parse(_ output: [UInt8]) throws(Failure) -> Credential? {
        struct Answer: Decodable {
            let username: String?
            let secret: String?

            enum CodingKeys: String, CodingKey {
                case username = "Username"
                case secret = "Secret"
            }
        }
        do throws(JSONFault) {
            let answer = try BoundedJSON.decode(Answer.self, from: output, limit: 1 << 20)
            guard let secret = answer.secret, !secret.isEmpty else { return nil }
            let user = answer.username ?? ""
            return user == "<token>" ? .identityToken(secret) : .password(user: user, password: secret)
        } catch {
            throw fail("its answer is \(error)")
        }
    }

    private func locate() throws(Failure) -> String {
        let allowed = name.utf8.allSatisfy { byte in
            (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte | 0x20) || "0123456789-_.".utf8.contains(byte)
        }
        guard allowed, !name.isEmpty else { throw fail("its name is not one of letters, digits, '-', '_' and '.'") }
        for directory in (environment["PATH"] ?? "").split(separator: ":") where directory.hasPrefix("/") {
            let path = "\(directory)/docker-credential-\(name)"
            if access(path, X_OK) == 0 { return path }
        }
        throw fail("executable file not found in $PATH")
    }

    private func run(_ arguments: [String], input: String) throws(Failure) -> ([UInt8], Spawn.Exit) {
        do throws(Errno) {
            let child = try start(arguments, input: input)
            let output: [UInt8]
            do throws(Errno) {
                output = try read(child.output.raw)
            } catch {
                kill(child.pid, SIGKILL)
                _ = try Spawn.wait(child.pid)
                throw error
            }
            return (output, try Spawn.wait(child.pid))
        } catch {
            throw fail("\(error)")
        }
    }

    private struct Child: ~Copyable {
        let pid: pid_t
        let output: OwnedFD
    }

    private func start(_ arguments: [String], input: String) throws(Errno) -> Child {
        let question = try filled(input)
        let answer = try Pipe()
        let silence = try File.open("/dev/null", O_WRONLY)
        let pid = try Spawn.start(
            arguments, environment: environment.map { "\($0.key)=\($0.value)" }.sorted(),
            input: question.raw, output: answer.writer.raw, error: silence.raw)
        return Child(pid: pid, output: try answer.reader.duplicate())
    }

    /// The reading end of a pipe that holds `text` and then ends; a name or a password fits into the pipe's buffer.
    private func filled(_ text: String) throws(Errno) -> OwnedFD {
        let pipe = try Pipe()
        try File.write(pipe.writer.raw, text)
        return try pipe.reader.duplicate()
    }

    private func read(_ fd: Int32) throws(Errno) -> [UInt8] {
        let end = Clock.monotonicNanoseconds + Int64(timeout * 1e9)
        var result: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 4096)
        while true {
            let left = (end - Clock.monotonicNanoseconds) / 1_000_000
            var items = [PollItem(fd, .readable)]
            guard left > 0, try PollItem.wait(&items, milliseconds: Int32(clamping: left)) > 0 else {
                throw Errno(rawValue: ETIMEDOUT)
            }
            let count = try check { chunk.withUnsafeMutableBytes { Glibc.read(fd, $0.baseAddress, $0.count) } }
            if count == 0 { return result }
            result.append(contentsOf: chunk[..<count])
            if result.count > 1 << 20 { throw Errno(rawValue: EFBIG) }
        }
    }

    private func fail(_ reason: String) -> Failure { Failure(name: name, reason: reason) }
}
