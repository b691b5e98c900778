internal import Sys

/// A docker daemon with data, socket and mounts of its own, for comparisons.
package enum PrivateDocker {
    package static let isPossible =
        Conditions.isRoot && Conditions.has("dockerd", "docker", "containerd", "runc", "unshare")
        && File.exists("/bin/busybox")
    package static let needs = "needs root, dockerd, docker, containerd, runc and a static busybox"

    private static let begin = #"""
        cd "$1"
        dockerd --data-root "$1/data" --exec-root "$1/exec" --pidfile "$1/pid" -H "unix://$1/socket" \
            --iptables=false --ip6tables=false --bridge=none --storage-driver=vfs > "$1/log" 2>&1 &
        daemon=$!
        trap 'kill $daemon; wait $daemon' EXIT
        export DOCKER_HOST="unix://$1/socket"
        i=0
        until docker version > "$1/version" 2>&1; do
            i=$((i + 1))
            test $i -lt 150 || { cat "$1/log" >&2; exit 1; }
            sleep 0.2
        done
        set -e
        mkdir -p root/bin

        """#

    /// Runs a shell script beside the daemon, in the directory `$1`, which is scratch; there is an empty `root/bin`.
    package static func run(_ script: String, in scratch: Scratch, timeout: Double = 180) throws {
        try Tool.check(
            "unshare", ["-m", "--propagation", "private", "sh", "-c", begin + script, "sh", scratch.path],
            timeout: timeout)
    }
}
