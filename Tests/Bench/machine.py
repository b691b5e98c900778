"""The machine and the versions that a run was made with."""
import datetime
import os
import platform

import enclosure
from measure import Command, seconds


def facts(started, absent):
    return {
        "date": datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%d"),
        "processor": processor(), "cores": os.cpu_count(), "memory": memory(), "kernel": platform.release(),
        "system": system(), "cgroups": cgroups(), "disk": disk(enclosure.work()),
        "peers": {peer.name: {"version": peer.version(), "note": peer.note} for peer in started}, "absent": absent,
        "daemons": {peer.name: {name: proportional_size(pid) for name, pid in peer.daemons().items()}
                    for peer in started},
        "overhead": sorted(seconds(Command(("/bin/true",))) for _ in range(101))[50],
    }


def lines(path):
    with open(path) as file:
        return file.read().splitlines()


def processor():
    return next((line.split(":")[1].strip() for line in lines("/proc/cpuinfo") if line.startswith("model name")),
                platform.machine())


def memory():
    return f"{int(lines('/proc/meminfo')[0].split()[1]) / 2**20:.0f} GiB"


def system():
    return next((line.split("=")[1].strip('"') for line in lines("/etc/os-release")
                 if line.startswith("PRETTY_NAME")), "")


def cgroups():
    """`v1`, `v2`, or both with where the controllers are."""
    kinds = {}
    for line in lines("/proc/mounts"):
        _, place, kind, options = line.split()[:4]
        if kind.startswith("cgroup"):
            kinds.setdefault(kind, []).append(place)
    if "cgroup" not in kinds:
        return "v2"
    return f"v1 ({len(kinds['cgroup'])} hierarchies)" + (" beside v2" if "cgroup2" in kinds else "")


def disk(path):
    """The kind of file system that `path` is on."""
    best = ("", "")
    for line in lines("/proc/mounts"):
        _, place, kind = line.split()[:3]
        if (path + "/").startswith(place.rstrip("/") + "/") and len(place) >= len(best[0]):
            best = (place, kind)
    return best[1]


def proportional_size(pid):
    """What of memory a process accounts for, shared pages divided among those who share them, in KiB."""
    with open(f"/proc/{pid}/smaps_rollup") as file:
        return next(int(line.split()[1]) for line in file if line.startswith("Pss:"))
