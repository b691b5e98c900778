"""What is measured, first those without images: the floor, bubblewrap, and the OCI runtimes on a ready bundle."""
import contextlib
import json
import os
import shutil
import subprocess

import enclosure
from measure import Absent, Command, Lacking, output, seconds

HERE = os.path.dirname(os.path.abspath(__file__))
REPOSITORY = os.path.realpath(f"{HERE}/../..")
SERVERS = f"{REPOSITORY}/rootfs-fixtures/out/servers"
BUSYBOX = f"{REPOSITORY}/rootfs-fixtures/out/busybox"
CACHE = f"{REPOSITORY}/.build/bench"
SLEEP = ("sleep", "100000")


class Peer:
    """One that can be measured. Subclasses give `name`, and the verbs that they have."""
    note = ""

    def __init__(self, bench):
        self.bench = bench
        self.place = f"{enclosure.work()}/{self.name}"

    def start(self):
        """Makes it ready, or says why it can't be."""

    def stop(self):
        """Ends what it runs."""

    def version(self):
        return ""

    def daemons(self):
        """The processes that run with no container running, by name."""
        return {}

    def program(self, *candidates):
        for candidate in candidates:
            found = shutil.which(candidate)
            if found:
                return found
        raise Absent("not installed")

    # The verbs of the cases. Each gives a Command that does it, but for `detached`.

    def run(self, network="none", terminal=False):
        raise Lacking

    def detached(self, name):
        """Starts a container that waits; gives what the other verbs know it by."""
        raise Lacking

    def execute(self, container):
        raise Lacking

    def remove(self, containers):
        raise Lacking

    def removed(self):
        """After `remove`."""

    def engine(self, *_):
        raise Lacking

    detach = init = make = begin = list_containers = engine
    pull = load = commit = list_images = remove_image = engine


class Floor(Peer):
    name = "floor"
    note = "the system calls of one container alone, by a C program: no records, masks, capabilities, filter or limits"

    def start(self):
        os.makedirs(self.place)
        self.binary = f"{self.place}/floor"
        sources = [f"{HERE}/floor.c", f"{HERE}/floor_cgroups.c"]
        options = ["-std=gnu17", "-O2", "-Wall", "-Wextra", "-Werror", "-static"]
        subprocess.run(["cc", *options, "-o", self.binary, *sources], check=True)
        self.lower = f"{self.bench.bundle()}/rootfs"

    def run(self, network="none", terminal=False):
        if network != "none" or terminal:
            raise Lacking
        return Command((self.binary, "run", self.place, self.lower, "true"))

    def execute(self, container):
        return Command((self.binary, "exec", str(container), "true"))

    def detached(self, _):
        """Its first process; there is no other name."""
        self.process = subprocess.Popen([self.binary, "run", self.place, self.lower, *SLEEP], stdin=subprocess.DEVNULL)
        children = f"/proc/{self.process.pid}/task/{self.process.pid}/children"
        # It is in its namespaces and the image once it is the program.
        self.bench.wait(lambda: any(comm(pid) == SLEEP[0] for pid in words(children)), "the floor's container")
        return words(children)[0]

    def remove(self, containers):
        return Command(("kill", "-9", *containers))

    def removed(self):
        # It takes back what it made.
        self.process.wait()


def words(path):
    with open(path) as file:
        return file.read().split()


def comm(pid):
    with contextlib.suppress(OSError):
        return words(f"/proc/{pid}/comm")[0]


class Bubblewrap(Peer):
    name = "bwrap"
    note = "a bind mount for its root, no overlay; no control group, filter or network of its own but an empty one"

    def start(self):
        self.binary = self.program("bwrap")
        self.root = f"{self.bench.bundle()}/rootfs"

    def version(self):
        return output(Command((self.binary, "--version"))).split()[-1]

    def run(self, network="none", terminal=False):
        if network != "none" or terminal:
            raise Lacking
        kinds = [f"--unshare-{kind}" for kind in ("ipc", "pid", "net", "uts", "cgroup")]
        mounts = ["--bind", self.root, "/", "--proc", "/proc", "--dev", "/dev", "--tmpfs", "/dev/shm", "--mqueue",
                  "/dev/mqueue", "--ro-bind", "/sys", "/sys"]
        return Command((self.binary, *kinds, *mounts, "true"))


class BundleRuntime(Peer):
    """An OCI runtime by itself. Subclasses give the path of Debian's from `make servers` and of its libraries."""
    note = "a ready bundle by umoci: no image, no overlay, no seccomp filter, no network but an empty one, no monitor"

    def start(self):
        self.binary = self.program(self.candidate, self.name)
        environment = {"LD_LIBRARY_PATH": self.libraries} if self.binary == self.candidate else {}
        self.prefix = Command((self.binary, "--root", f"{enclosure.VOLATILE}/{self.name}"), environment)
        self.bundles = {}
        kinds = {"true": (False, ["true"]), "terminal": (True, ["true"]), "sleep": (False, list(SLEEP))}
        for kind, (terminal, arguments) in kinds.items():
            self.bundles[kind] = f"{self.place}/{kind}"
            self.make_bundle(self.bundles[kind], terminal, arguments)

    def make_bundle(self, path, terminal, arguments):
        os.makedirs(path)
        source = self.bench.bundle()
        with open(f"{source}/config.json") as file:
            config = json.load(file)
        config["process"].update(terminal=terminal, args=arguments)
        config["root"]["path"] = f"{source}/rootfs"
        config["linux"]["cgroupsPath"] = f"/{enclosure.CGROUP}/{self.name}-{os.path.basename(path)}"
        config["linux"]["namespaces"].append({"type": "cgroup"})
        with open(f"{path}/config.json", "w") as file:
            json.dump(config, file)

    def version(self):
        return output(self.prefix.then("--version")).split()[2]

    def run(self, network="none", terminal=False):
        if network != "none":
            raise Lacking
        return self.prefix.then("run", "--bundle", self.bundles["terminal" if terminal else "true"], "bench")

    def detached(self, name):
        # Not by `output`: the container keeps what would be the pipe for it.
        seconds(self.prefix.then("run", "--detach", "--bundle", self.bundles["sleep"], name))
        return name

    def execute(self, container):
        return self.prefix.then("exec", container, "true")

    def remove(self, containers):
        return self.prefix.then("delete", "--force", *containers)


class Crun(BundleRuntime):
    name = "crun"
    candidate = f"{SERVERS}/crun/libexec/crun"
    libraries = f"{SERVERS}/crun/lib"


class Runc(BundleRuntime):
    name = "runc"
    candidate = f"{SERVERS}/docker/bin/runc"
    libraries = f"{SERVERS}/docker/lib"
