"""Measures runimg beside other engines and beside what the kernel takes for the same: see --help."""
import argparse
import functools
import os
import shutil
import subprocess
import sys
import time

import cases
import enclosure
import engines
import images
import machine
import measure
import peers
import plot
import report
from registry import Registry

PEERS = [peers.Floor, peers.Bubblewrap, peers.Crun, peers.Runc, engines.Podman, engines.Docker, engines.Runimg]


def parse():
    parser = argparse.ArgumentParser(description="Times of runimg beside other engines, taken in turns.")
    parser.add_argument("--rounds", type=int, help="for every case, instead of its own number")
    parser.add_argument("--quick", action="store_true", help="few rounds: some minutes")
    parser.add_argument("--only", help="these cases, with commas: " + " ".join(case.key for case in cases.ALL))
    parser.add_argument("--peers", help="these, with commas: " + " ".join(peer.name for peer in PEERS))
    parser.add_argument("--output", default=peers.CACHE,
                        help="directory of results.md, results.svg, results.json (default .build/bench)")
    options = parser.parse_args()
    options.cases = chosen(parser, options.only, cases.ALL, lambda case: case.key)
    options.peers = chosen(parser, options.peers, PEERS, lambda peer: peer.name)
    return options


def chosen(parser, names, all_of_them, name_of):
    if names is None:
        return all_of_them
    unknown = set(names.split(",")) - {name_of(one) for one in all_of_them}
    if unknown:
        parser.error("not known: " + " ".join(sorted(unknown)))
    return [one for one in all_of_them if name_of(one) in names.split(",")]


class Bench:
    """What the peers share: images, a bundle, and the order of things."""

    def __init__(self, options):
        self.options = options
        self.registry = Registry(self)
        self.small = self.registry.push(f"oci:{peers.BUSYBOX}:latest", "busybox:latest")
        self.big = {}
        if needs_big_image(options):
            layout = f"{peers.CACHE}/big"
            self.big = {tag: self.registry.push(f"oci:{layout}:{tag}", f"big:{tag}") for tag in ("gzip", "zstd")}

    def wait(self, condition, what):
        for _ in range(600):
            if condition():
                return
            time.sleep(0.05)
        raise measure.Absent(f"{what} is not there after 30 s")

    def bundle(self):
        """A bundle of busybox by umoci."""
        path = f"{enclosure.work()}/bundle"
        if not os.path.exists(path):
            subprocess.run(["umoci", "--log=error", "unpack", "--image", f"{peers.BUSYBOX}:latest", path], check=True)
        return path

    def many(self):
        path = f"{enclosure.work()}/many.tar"
        if not os.path.exists(path):
            images.many(path)
        return path

    def measure(self):
        """Gives what is known after each case, so that one which is interrupted has measured something."""
        started, absent = [], {}
        for peer in (kind(self) for kind in self.options.peers):
            try:
                peer.start()
                started.append(peer)
            except measure.Absent as reason:
                absent[peer.name] = str(reason)
        try:
            results = {"machine": machine.facts(started, absent), "rows": []}
            for case in self.options.cases:
                results["rows"] += self.measure_case(case, started)
                yield results
        finally:
            for peer in started:
                peer.stop()
            self.registry.stop()

    def measure_case(self, case, started):
        begun = time.monotonic()
        rounds = self.options.rounds or (case.quick if self.options.quick else case.rounds)
        ready, reasons = {}, {}
        for peer in started:
            try:
                ready[peer] = case.prepare(peer)
            except measure.Absent as reason:
                reasons[peer.name] = str(reason)
        before = measure.processes()

        def sample(peer):
            try:
                return case.sample(peer, ready[peer])
            except (OSError, ValueError) as error:
                raise measure.Absent(str(error)) from error
            finally:
                measure.settle(before)

        samples = {peer.name: functools.partial(sample, peer) for peer in ready}
        results = {**reasons, **measure.alternate(samples, rounds, case.warmup)}
        for peer in ready:
            try:
                case.finish(peer, ready[peer])
            except measure.Absent as reason:
                print(f"bench: {case.key}: {peer.name}: {reason}", file=sys.stderr)
        print(f"{case.key}: {time.monotonic() - begun:.0f} s", flush=True)
        return list(report.rows(case, started, results))


def needs_big_image(options):
    return any(case.key.startswith(("pull", "commit")) for case in options.cases)


def main():
    options = parse()
    options.output = os.path.abspath(options.output)
    if not enclosure.is_inside():
        enclosure.be_alone(sys.argv)
        for name in ("unshare", "ip", "cc", "skopeo", "umoci", "docker-registry"):
            if not shutil.which(name):
                sys.exit(f"bench: {name} is not installed; run `make deps`")
        os.makedirs(options.output, exist_ok=True)
        if needs_big_image(options):
            images.big_layout(peers.CACHE)
        sys.exit(enclosure.run_inside(sys.argv, f"{peers.CACHE}/work"))
    enclosure.prepare()
    for results in Bench(options).measure():
        report.write(results, options.output)
        plot.write(results, f"{options.output}/results.svg")
    print(f"{options.output}/results.md")


try:
    main()
except KeyboardInterrupt:
    sys.exit(130)
