internal import Glibc
internal import OCI
internal import Sys
internal import TestSupport
import Testing

extension EndToEnd {
    /// Everything that adds, uses and removes images, at once.
    @Suite(.timeLimit(.minutes(Wait.minutes(30))))
    struct GarbageStress {
        private static let seconds = SyscallFaults.rounds(8, soak: 60)
        private static let workers = 8

        /// Says what must not happen; all else that a command may say of images that others took is left aside.
        private static let worker = #"""
            number=$1; end=$(($(date +%s) + $2)); layouts=$3; shift 3
            said=$(mktemp)
            try() {
                what=$1; shift
                "$@" > /dev/null 2> "$said" && return 0
                grep -qE 'No such image|conflict|No such container|is not here|must be forced|must force' "$said" ||
                    { echo "$what: $(tr '\n' ' ' < "$said")"; }
                return 1
            }
            i=0
            while [ $(date +%s) -lt $end ]; do
                i=$((i + 1)); pick=$(((i * 7 + number * 3) % 4)); other=$(((i + number) % 4))
                case $(((i + number) % 6)) in
                    0) try pull "$@" pull -q "oci:$layouts/$pick:latest" ;;
                    1) id=$("$@" pull -q "oci:$layouts/$pick:latest" 2> "$said" | tail -n 1)
                       [ -n "$id" ] && try tag "$@" tag "$id" "name:$other" ;;
                    2) try run "$@" run --rm --network none --pull never "name:$pick" sh -c "test -e /layer-$pick -o -e /base" ;;
                    3) # A container keeps what it stands on, whatever is removed meanwhile.
                       if try create "$@" create --name "box-$number-$i" --network none --pull never "name:$pick" cat /base
                       then
                           if "$@" start -a "box-$number-$i" > "$said" 2>&1
                           then echo x >> "$layouts/started"
                           else echo "lost: $(tr '\n' ' ' < "$said")"
                           fi
                           try rm "$@" rm "box-$number-$i"
                       fi ;;
                    4) try rmi "$@" rmi "name:$pick" ;;
                    5) if [ $((i % 3)) = 0 ]; then try prune "$@" image prune -a -f; else try prune "$@" image prune -f; fi ;;
                esac
            done
            rm -f "$said"
            """#

        /// Four images on busybox and a common layer, two of them with two more layers that they share.
        private static func layouts(_ runimg: Runimg) throws -> String {
            let base = try ImageForge.tar("echo base > base; seq 200 | xargs -I{} touch base-{}")
            let shared = try ImageForge.tar("mkdir shared; seq 300 | xargs -I{} touch shared/{}")
            for number in 0..<4 {
                let own = try ImageForge.tar("echo \(number) > layer-\(number)")
                let layout = try OCILayout(try runimg.scratch.directory("layouts/\(number)"))
                let tars = [base] + (number < 2 ? [] : [shared]) + [own]
                try layout.tag(try ImageForge.onFixture(layout, tars: tars), "latest")
            }
            return runimg.scratch("layouts")
        }

        @Test("F32: nothing that is in use is lost, and nothing is left over, whatever adds and removes at once")
        func everythingAtOnce() throws {
            let runimg = try Runimg()
            let layouts = try Self.layouts(runimg)
            let script = "for n in $(seq \(Self.workers)); do sh -c \"$0\" sh $n \"$@\" & done; wait"
            let arguments = ["-c", script, Self.worker, "\(Self.seconds)", layouts] + runimg.command([])
            let output = try Tool.run("sh", arguments, timeout: Double(Self.seconds) + 120)
            #expect(
                output.stdout.isEmpty && output.stderr.isEmpty,
                "\(output.stdout.suffix(3000)) \(output.stderr.suffix(500))")
            let started = try File.readAll("\(layouts)/started").count / 2
            #expect(started > Self.workers, "too few for a test")
            try expectWhole(runimg)
            let checked = try runimg.check("system", "check")
            #expect(checked.stdout.hasSuffix(": no damage\n"), "\(checked)")
            try runimg.check("rm", "-f", "--all")
            try runimg.check("image", "prune", "-a", "-f")
            for directory in [
                "image/overlay2/layerdb/sha256", "overlay2/l", "image/overlay2/imagedb/content/sha256",
                "image/overlay2/imagedb/metadata/sha256", "image/overlay2/manifests/sha256", "containers/names",
            ] {
                let left = try Directory.entries("\(runimg.dataRoot)/\(directory)").map(\.name)
                #expect(left.isEmpty, "\(directory): \(left)")
            }
            #expect(try Directory.entries("\(runimg.dataRoot)/overlay2").map(\.name) == ["l"])
            // Deleted by a process that nobody waits for.
            let isGone = try Wait.until(seconds: 20) {
                try Directory.entries("\(runimg.dataRoot)/tmp").map(\.name) == ["blobs"]
            }
            #expect(isGone)
        }

        /// Every image that is left has all of its layers and files, and runs; there is no layer but theirs.
        private func expectWhole(_ runimg: Runimg) throws {
            #expect(try runimg.check("ps", "-aq").stdout == "")
            // What killed or held removals have left goes with it.
            try runimg.check("image", "prune", "-f")
            let images = try Set(runimg.check("images", "-q", "--no-trunc").lines)
            var layers: Set<String> = []
            for image in images {
                try runimg.check("run", "--rm", "--network", "none", image, "cat", "/base")
                let files = try runimg.check("image", "ls-files", image).lines
                #expect(files.count { $0.hasPrefix("/base-") } == 200, "\(image)")
                #expect([0, 301].contains(files.count { $0.hasPrefix("/shared") }), "\(image)")
                layers.formUnion(try runimg.check("layers", "--format", "{{.ChainID}}", image).lines)
            }
            let recorded = try Directory.entries("\(runimg.dataRoot)/image/overlay2/layerdb/sha256").map {
                "sha256:\($0.name)"
            }
            #expect(Set(recorded) == layers)
        }
    }
}
