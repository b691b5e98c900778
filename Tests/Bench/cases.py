"""What is measured. A case has parts, each a row of the report, and gives a number for each of them a round."""
import os

import images
from machine import proportional_size
from measure import output, seconds, seconds_of_many, seconds_on_terminal

DETACHED, WIDTH = 100, 8
MADE = 1000


class Case:
    """Subclasses give `key`, `parts` (titles), and what they do with one peer, which may raise Absent."""
    unit = "ms"
    rounds, quick, warmup = 30, 8, 2
    note = ""

    def prepare(self, peer):
        """What it gives is handed to the others."""

    def sample(self, peer, ready):
        """A number for each part: seconds, or KiB."""
        raise NotImplementedError

    def finish(self, peer, ready):
        """After the last round, also where one failed."""


class Run(Case):
    def __init__(self, key, title, network="none", terminal=False, rounds=30):
        self.key, self.parts, self.rounds = key, (title,), rounds
        self.network, self.terminal = network, terminal

    def prepare(self, peer):
        return peer.run(self.network, self.terminal)

    def sample(self, peer, ready):
        return (seconds_on_terminal(ready) if self.terminal else seconds(ready),)


class WithContainer(Case):
    """One container that waits, for all rounds."""
    def prepare(self, peer):
        return peer.detached("bench-one")

    def finish(self, peer, ready):
        output(peer.remove([ready]))
        peer.removed()


class Execute(WithContainer):
    key, parts = "exec", ("`exec`",)

    def sample(self, peer, ready):
        return (seconds(peer.execute(ready)),)


class ListOne(WithContainer):
    key, parts = "ps-1", ("`ps -a`, 1 container",)

    def sample(self, peer, ready):
        return (seconds(peer.list_containers()),)


class Memory(WithContainer):
    key, parts, unit = "memory", ("memory of the monitor of an idle container, PSS",), "KiB"
    rounds, quick, warmup = 3, 1, 0

    def sample(self, peer, ready):
        with open(f"/proc/{peer.init(ready)}/stat") as file:
            parent = file.read().rpartition(")")[2].split()[1]
        return (proportional_size(parent),)


class Many(Case):
    key = "many"
    parts = (f"{DETACHED} × `run -d`, {WIDTH} at a time", f"removal of these {DETACHED} by one `rm -f`")
    unit, rounds, quick, warmup = "s", 3, 1, 0
    names = [f"bench-{number}" for number in range(DETACHED)]

    def prepare(self, peer):
        return [peer.detach(name) for name in self.names]

    def sample(self, peer, ready):
        try:
            started = seconds_of_many(ready, WIDTH)
        finally:
            removed = seconds(peer.remove(self.names))
        return started, removed


class Pull(Case):
    unit, rounds, quick, warmup = "s", 3, 1, 0
    note = "five layers, 500 MB, 1.5 GB in 45,000 files unpacked; a registry on loopback, a store without them"

    def __init__(self, compression):
        self.compression = compression
        self.key = f"pull-{compression}"
        self.parts = (f"pull of the big image, {compression}",)

    def prepare(self, peer):
        return peer.bench.big[self.compression]

    def sample(self, peer, ready):
        # Nobody pays for what another has left to be written.
        os.sync()
        taken = seconds(peer.pull(ready))
        output(peer.remove_image(ready))
        return (taken,)


class Commit(Case):
    key, parts = "commit", ("`commit` of 1 file over the big image",)
    unit, rounds, quick, warmup = "ms", 10, 3, 1

    def prepare(self, peer):
        image = peer.bench.big["gzip"]
        output(peer.pull(image))
        output(peer.make("bench-big", image, "touch", "/file"))
        output(peer.begin("bench-big"))
        os.sync()

    def sample(self, peer, ready):
        taken = seconds(peer.commit("bench-big", "committed:1"))
        output(peer.remove_image("committed:1"))
        return (taken,)

    def finish(self, peer, ready):
        output(peer.remove(["bench-big"]))
        output(peer.remove_image(peer.bench.big["gzip"]))


class ListImages(Case):
    key, parts = "images", (f"`images`, {images.COUNT} images",)

    def prepare(self, peer):
        output(peer.load(peer.bench.many()))

    def sample(self, peer, ready):
        return (seconds(peer.list_images()),)


class ListMany(Case):
    key, parts, rounds = "ps-1000", (f"`ps -a`, {MADE:,} containers",), 15
    note = "made, not running, since a thousand running ones take some peers minutes and gigabytes"

    def prepare(self, peer):
        names = [f"bench-made-{number}" for number in range(MADE)]
        seconds_of_many([peer.make(name, peer.bench.small, "true") for name in names], 2)

    def sample(self, peer, ready):
        return (seconds(peer.list_containers()),)


# Those that leave a full store behind are the last.
ALL = [
    Run("run", "`run --rm --network none`"), Run("bridge", "`run --rm`, on a bridge", network="bridge", rounds=20),
    Run("terminal", "`run --rm -it --network none`", terminal=True, rounds=20), Execute(), ListOne(), Memory(), Many(),
    Pull("gzip"), Pull("zstd"), Commit(), ListImages(), ListMany(),
]
