// One change to a union of BASE/low and BASE/up, in a process of its own that a test can kill:
// UnionStep BASE trusted|user STEP. Never installed.
internal import Glibc
internal import Sys
internal import Union

/// The names are those that `UnionKillTests` makes.
func run(_ step: String, in tree: UnionTree) throws(Errno) {
    let root = tree.root
    switch step {
    case "chmod": try tree.setMode(PathBytes("f"), in: try tree.directory(PathBytes("d/e")), 0o600)
    case "chown": try tree.setOwner(PathBytes("link"), in: root, user: 1000, group: 1000)
    case "chmodDirectory": try tree.setMode(PathBytes("e"), in: try tree.directory(PathBytes("d")), 0o700)
    case "create": _ = try tree.open(PathBytes("gone"), O_WRONLY | O_CREAT, mode: 0o644, in: root)
    case "mkdir": try tree.makeDirectory(PathBytes("goneToo"), mode: 0o755, in: root)
    case "unlink": try tree.unlink(PathBytes("changed"), in: root)
    case "rmdir": try tree.removeDirectory(PathBytes("emptied"), in: root)
    case "rename":
        try tree.rename(PathBytes("f"), in: try tree.directory(PathBytes("d/e")), to: PathBytes("g"), in: root)
    case "swap":
        try tree.rename(
            PathBytes("f"), in: try tree.directory(PathBytes("d/e")), to: PathBytes("changed"), in: root, .exchange)
    case "replace": try tree.rename(PathBytes("own"), in: root, to: PathBytes("emptied"), in: root)
    case "link": try tree.link(PathBytes("f"), in: try tree.directory(PathBytes("d/e")), to: PathBytes("g"), in: root)
    default: throw .invalid
    }
}

let arguments = CommandLine.arguments
guard arguments.count == 4 else { exit(2) }
do throws(Errno) {
    let base = arguments[1]
    let low = try Directory.open("\(base)/low")
    let up = try Directory.open("\(base)/up")
    let work = try Directory.open("\(base)/work")
    let tree = try UnionTree(
        lowers: [low.raw], upper: up.raw, work: work.raw, marks: arguments[2] == "user" ? .user : .trusted)
    try run(arguments[3], in: tree)
    _ = consume low
    _ = consume up
    _ = consume work
} catch {
    print("\(arguments[3]): \(error)")
    exit(1)
}
