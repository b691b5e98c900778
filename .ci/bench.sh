#!/bin/bash
# Medians of whole processes in milliseconds, each engine beside the others in turns, so that a noisy moment hits all.
# Usage: bench.sh [ROUNDS]
set -euo pipefail
cd "$(dirname "$0")/.."
rounds=${1:-30}
work=$(mktemp -d /var/tmp/runimg-bench.XXXXXX)
trap 'rm -rf "$work"' EXIT
export RUNIMG="$PWD/.build/release/runimg" LAYOUT="$PWD/rootfs-fixtures/out/busybox"

"$RUNIMG" --data-root "$work/data" pull -q "oci:$LAYOUT:latest" >/dev/null
image=$("$RUNIMG" --data-root "$work/data" images -q | head -1)
names=("runimg run") commands=("$RUNIMG --data-root $work/data run --rm --network none $image true")

if command -v crun >/dev/null && command -v umoci >/dev/null; then
    # A ready bundle without an overlay: less work than ours.
    umoci --log=error unpack --image "$LAYOUT:latest" "$work/bundle"
    python3 - "$work/bundle/config.json" <<'PYTHON'
import json, sys
path = sys.argv[1]
spec = json.load(open(path))
spec["process"].update(terminal=False, args=["true"])
json.dump(spec, open(path, "w"))
PYTHON
    names+=("crun run, ready bundle")
    commands+=("crun run --bundle $work/bundle bench-$$")
    command -v runc >/dev/null && names+=("runc run, ready bundle") && commands+=("runc run --bundle $work/bundle bench-$$")
fi
if command -v podman >/dev/null; then
    podman --root "$work/podman" --runroot "$work/podman-run" pull -q "oci:$LAYOUT:latest" >/dev/null 2>&1 &&
        podman_image=$(podman --root "$work/podman" --runroot "$work/podman-run" images -q | head -1) &&
        names+=("podman run") &&
        commands+=("podman --root $work/podman --runroot $work/podman-run run --rm --network none $podman_image true")
fi
if command -v docker >/dev/null && docker info >/dev/null 2>&1; then
    skopeo --insecure-policy copy -q "oci:$LAYOUT:latest" docker-daemon:runimg-bench:latest
    names+=("docker run")
    commands+=("docker run --rm --network none runimg-bench true")
fi

python3 - "$rounds" "${#names[@]}" "${names[@]}" "${commands[@]}" <<'PYTHON'
import statistics, subprocess, sys, time
rounds, count = int(sys.argv[1]), int(sys.argv[2])
names, commands = sys.argv[3:3 + count], [c.split() for c in sys.argv[3 + count:]]
times = [[] for _ in names]
absent = {}
for turn in range(rounds + 2):
    for index, command in enumerate(commands):
        if index in absent:
            continue
        start = time.perf_counter()
        done = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
        if done.returncode and index == 0:
            sys.exit(f"{names[index]}: exit {done.returncode}: {done.stderr.decode()}")
        if done.returncode:
            # crun 1.8 does not run where cgroup v2 beside v1 has a controller.
            absent[index] = done.stderr.decode().strip()
            continue
        if turn > 1:
            times[index].append((time.perf_counter() - start) * 1000)
ours = statistics.median(times[0])
for index, (name, values) in enumerate(zip(names, times)):
    if index in absent:
        print(f"{name:24} does not run here: {absent[index]}")
        continue
    middle = statistics.median(values)
    print(f"{name:24} {middle:8.1f} ms   {middle / ours:5.2f} of runimg   (fastest {min(values):.1f})")
PYTHON
if command -v podman >/dev/null; then podman --root "$work/podman" --runroot "$work/podman-run" system reset -f >/dev/null 2>&1 || true; fi
