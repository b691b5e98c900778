"""A place that takes everything with it when it ends: all that the bench starts is in process, mount and network
namespaces of its own, and what engines write outside their own directories (/etc, /run, /var/lib, /opt) is in memory,
over the machine's."""
import fcntl
import os
import shutil
import signal
import subprocess
import sys
import time

MARK = "RUNIMG_BENCH_WORK"
# Set where this process is in a mount namespace of the bench's own.
ALONE = "RUNIMG_BENCH_ALONE"
# MiB of the disk that the bench makes for itself: what the engines have in it at the same time, and as much again.
DISK = 12 << 10
# One parent for the control groups of all who can be told; runimg's are in one of its own.
CGROUP = "runimg-bench"
VOLATILE = "/run/bench"
# podman keeps its locks in the second one.
VOLATILE_PLACES = ("/run", "/dev/shm")
COVERED = ("/etc", "/var/lib", "/opt")


def is_inside():
    return MARK in os.environ


def work():
    """The directory of all that is large, on the disk that the build is on."""
    return os.environ[MARK]


def be_alone(arguments):
    """Goes on in a mount namespace of its own: what is mounted there is gone with the last of the bench's processes."""
    if os.geteuid() != 0:
        sys.exit("bench: needs root, for the other engines and for namespaces of its own")
    if ALONE not in os.environ:
        os.environ[ALONE] = "1"
        os.execvp("unshare", ["unshare", "--mount", "--propagation", "private", sys.executable, *arguments])


def make_disk(place):
    """A file system of its own for all that is large: what the machine's has been through is not measured with it (on
    ext4 without a journal new files wait for the deletion of old ones). Without mkfs.ext4 or room, the machine's."""
    image = f"{place}.disk"
    try:
        with open(image, "wb") as file:
            # Written once: where a block comes first, the machine's file system looks for room.
            for _ in range(DISK):
                file.write(bytes(1 << 20))
        subprocess.run(["mkfs.ext4", "-q", "-F", "-E", "lazy_itable_init=0,lazy_journal_init=0", image], check=True)
        # Past the page cache of the file, or each byte is copied twice.
        device = subprocess.run(["losetup", "--find", "--show", "--direct-io=on", image], check=True,
                                stdout=subprocess.PIPE, text=True).stdout.strip()
        try:
            mount("ext4", device, place)
        finally:
            # Detached with the mount.
            subprocess.run(["losetup", "--detach", device], check=True)
    except (OSError, subprocess.CalledProcessError) as reason:
        print(f"bench: on the machine's own file system: {reason}", file=sys.stderr)
    if os.path.exists(image):
        # The mount holds it.
        os.unlink(image)


def run_inside(arguments, place):
    """Runs this program again inside, gives its exit code, and removes what namespaces do not."""
    os.makedirs(os.path.dirname(place), exist_ok=True)
    # Held until this process ends; nobody inside inherits it.
    lock = os.open(f"{place}.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        sys.exit("bench: another one is under way")
    shutil.rmtree(place, ignore_errors=True)
    os.makedirs(place)
    make_disk(place)
    # The shell is process 1: it waits for whatever is left behind by its parent.
    line = ["unshare", "--net", "--mount", "--pid", "--fork", "--kill-child", "--mount-proc", "--propagation",
            "private", "bash", "-c", '"$@"; exit $?', "bash", sys.executable, *arguments]
    child = subprocess.Popen(line, env={**os.environ, MARK: place})
    # An interrupt reaches the whole group of processes by itself; here what is left is removed after it.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, lambda *_: child.kill())
    code = child.wait()
    remove_cgroups(place)
    subprocess.run(["umount", "--lazy", place], stderr=subprocess.DEVNULL)
    shutil.rmtree(place, ignore_errors=True)
    return code if code >= 0 else 128 - code


def prepare():
    """Makes the namespaces fit to live in; called once inside."""
    subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
    for directory in VOLATILE_PLACES:
        mount("tmpfs", "tmpfs", directory)
    os.makedirs(f"{VOLATILE}/home")
    # Nobody's credentials and settings.
    os.environ["HOME"] = f"{VOLATILE}/home"
    for directory in COVERED:
        layer = f"{VOLATILE}/over{directory.replace('/', '-')}"
        os.makedirs(f"{layer}/upper")
        os.makedirs(f"{layer}/work")
        mount("overlay", "overlay", directory,
              f"lowerdir={directory},upperdir={layer}/upper,workdir={layer}/work")
    hide_unified_controllers()


def hide_unified_controllers():
    """crun 1.8 refuses cgroups v1 beside a v2 that has a controller; on a usual machine of that kind it has none."""
    path = "/sys/fs/cgroup/unified/cgroup.controllers"
    if not os.path.exists(path):
        return
    with open(path) as file:
        if not file.read().strip():
            return
    empty = f"{VOLATILE}/empty"
    open(empty, "w").close()
    subprocess.run(["mount", "--bind", empty, path], check=True)


def mount(kind, source, target, options=None):
    subprocess.run(["mount", "-t", kind, *(["-o", options] if options else []), source, target], check=True)


def remove_cgroups(place):
    """The control groups of containers that were killed with their namespaces."""
    left = []
    for _ in range(100):
        left = [group for group in own_cgroups(place) if not removes(group)]
        if not left:
            return
        # The last of the killed are on their way.
        time.sleep(0.05)
    print("bench: control groups are left: " + " ".join(left), file=sys.stderr)


def own_cgroups(place):
    """Those of this bench, inner ones before outer ones."""
    containers = f"{place}/runimg/containers"
    identifiers = set(os.listdir(containers)) if os.path.isdir(containers) else set()
    for directory, _, _ in os.walk("/sys/fs/cgroup", topdown=False):
        parts = directory.split("/")
        if CGROUP in parts or any(part in identifiers or part.startswith("floor-") for part in parts):
            yield directory


def removes(group):
    try:
        os.rmdir(group)
    except OSError:
        return False
    return True
