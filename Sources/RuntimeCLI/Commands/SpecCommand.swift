internal import Glibc
internal import OCI
internal import OCIRuntime
internal import Sys

extension Command {
    static let spec = Command(
        name: "spec", arguments: "", summary: "Write a config.json to begin with",
        options: [
            Option("bundle", short: "b", value: "DIR", "where; the working directory unless given"),
            Option("rootless", "for a caller who is not root"),
        ], count: 0...0
    ) { (line, _) throws(CommandFault) in
        let spec = Spec.template(isRootless: try line.isOn("rootless"), uid: geteuid(), gid: getegid())
        let path = "\(line["bundle"] ?? ".")/config.json"
        do throws(Errno) {
            let file = try File.open(path, O_WRONLY | O_CREAT | O_EXCL, mode: 0o644)
            try File.write(file.raw, spec.json)
            try file.close()
        } catch .exists {
            throw .failed("file \(path) exists: remove it first")
        } catch {
            throw .failed("write \(path): \(error)")
        }
        return 0
    }
}
