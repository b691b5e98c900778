"""Usage: make_fixtures.py BUSYBOX PROBE OUT. Writes the layouts busybox, layers, multi and deep below OUT."""
import os
import struct
import subprocess
import sys
import tarfile

from oci_layout import EPOCH, Layout, Tar

MACHINES = {"x86_64": {"architecture": "amd64", "os": "linux"},
            "aarch64": {"architecture": "arm64", "os": "linux", "variant": "v8"}}
HERE = MACHINES.get(os.uname().machine, {"architecture": os.uname().machine, "os": "linux"})

PASSWD = """root:x:0:0:root:/root:/bin/sh
daemon:x:1:1:daemon:/usr/sbin:/bin/false
alice:x:1000:1000:Alice:/home/alice:/bin/sh
bob:x:1001:50:Bob:/nonexistent:/bin/sh
nobody:x:65534:65534:nobody:/:/bin/false
"""
GROUP = """root:x:0:
daemon:x:1:
staff:x:50:alice
audio:x:63:alice,bob
users:x:100:
alice:x:1000:
nogroup:x:65534:
"""


def base(busybox, probe):
    """A small system that runs: busybox with its applets, users, and the probe."""
    tar = Tar()
    for name in ["bin", "dev", "etc", "home", "proc", "sys", "usr", "usr/bin", "usr/sbin", "sbin", "var", "var/log"]:
        tar.directory(name)
    tar.directory("root", 0o700).directory("tmp", 0o1777)
    tar.directory("home/alice", 0o750, uid=1000, gid=1000)
    with open(busybox, "rb") as file:
        tar.add("bin/busybox", data=file.read(), mode=0o755)
    applets = subprocess.run([busybox, "--list"], capture_output=True, check=True, text=True).stdout.split()
    for applet in sorted(set(applets) - {"busybox"}):
        tar.symlink(f"bin/{applet}", "busybox")
    with open(probe, "rb") as file:
        tar.add("probe", data=file.read(), mode=0o755)
    tar.add("etc/passwd", data=PASSWD.encode()).add("etc/group", data=GROUP.encode())
    tar.add("etc/os-release", data=b'ID=fixture\nPRETTY_NAME="runimg fixture"\n')
    tar.add("etc/not-executable", data=b"#!/bin/sh\n")
    tar.add("bin/bad-interpreter", data=b"#!/no/such/interpreter\n", mode=0o755)
    tar.add("bin/bad-format", data=b"\0\0\0\0", mode=0o755)
    return tar.finish()


def acl(*entries):
    """A posix_acl xattr (acl(5) by its kernel format: version 2, then tag, permissions, id)."""
    return struct.pack("<I", 2) + b"".join(struct.pack("<HHI", *entry) for entry in entries)


def capability(permitted):
    """A security.capability xattr of revision 2 with the effective bit (capabilities(7))."""
    return struct.pack("<IIIII", 0x02000001, permitted, 0, 0, 0)


PIECES = [(0, b"begin" + bytes(507)), (1 << 20, b"middle" + bytes(506)), ((8 << 20) - 512, bytes(509) + b"end")]
ANY = 0xFFFFFFFF
ACCESS = acl((1, 6, ANY), (2, 4, 1000), (4, 4, ANY), (16, 4, ANY), (32, 0, ANY))
DEFAULT = acl((1, 7, ANY), (2, 5, 1000), (4, 5, ANY), (16, 5, ANY), (32, 0, ANY))


def everything():
    """One of each kind that a tar can hold."""
    tar = Tar()
    tar.directory("bits").add("bits/setuid", data=b"u", mode=0o4755).add("bits/setgid", data=b"g", mode=0o2755, gid=50)
    tar.add("bits/both", data=b"b", mode=0o6751, uid=1000, gid=1000).directory("bits/sticky", 0o1777)
    tar.directory("bits/inherits", 0o2775, gid=50).add("bits/none", data=b"n", mode=0).directory("bits/closed", 0o700)
    tar.add("bits/owner", data=b"o", uid=3000000, gid=4000000000)
    tar.directory("nodes").add("nodes/null", tarfile.CHRTYPE, mode=0o666, device=(1, 3))
    tar.add("nodes/loop", tarfile.BLKTYPE, mode=0o660, gid=6, device=(7, 200))
    tar.add("nodes/fifo", tarfile.FIFOTYPE, mode=0o640, uid=1000)
    tar.directory("xattr", xattrs={"user.on": b"directory"})
    tar.add("xattr/user", data=b"x", xattrs={"user.comment": b"a value", "user.binary": b"\0\xff=\n\0"})
    tar.add("xattr/capability", data=b"c", mode=0o755, xattrs={"security.capability": capability(1 << 13)})
    tar.add("xattr/trusted", data=b"t", xattrs={"trusted.secret": b"kept"})
    tar.add("xattr/acl", data=b"a", mode=0o640, xattrs={"system.posix_acl_access": ACCESS})
    tar.directory("xattr/default", 0o750, xattrs={"system.posix_acl_default": DEFAULT})
    links(tar)
    names(tar)
    times_and_sizes(tar)
    for name in ["opaque", "opaque/sub", "gone-directory", "gone-directory/sub", "becomes-file", "meta", "meta/below"]:
        tar.directory(name)
    for name in ["opaque/a", "opaque/b", "opaque/sub/c", "gone", "again", "gone-directory/x", "gone-directory/sub/y",
                 "becomes-file/inside", "becomes-directory", "comes-back", "loses-xattr", "meta/file", "meta/below/f"]:
        tar.add(name, data=f"lower {name}\n".encode(), xattrs={"user.lost": b"1"} if name == "loses-xattr" else None)
    return tar.finish()


def links(tar):
    tar.directory("hard").add("hard/one", data=b"same\n").hardlink("hard/two", "hard/one")
    tar.directory("hard/far").hardlink("hard/far/three", "hard/one").add("hard/lower", data=b"lower\n", mode=0o600, uid=7)
    tar.add("hard/with-xattr", data=b"x", mode=0o4711, xattrs={"user.kept": b"yes"}).hardlink("hard/its-twin", "hard/with-xattr")
    tar.directory("sym").symlink("sym/relative", "../hard/one").symlink("sym/absolute", "/etc/passwd")
    tar.symlink("sym/dangling", "no/such/file").symlink("sym/outside", "../../../../../../etc/shadow")
    tar.symlink("sym/loop", "loop").symlink("sym/directory", "/hard").symlink("sym/spaces", " a target with\ttabs ")
    tar.symlink("sym/long", "x/" * 400 + "end").symlink("sym/owned", "relative", uid=1000, gid=50, mtime=EPOCH - 5)
    tar.hardlink("sym/hard-to-symlink", "sym/absolute")


def names(tar):
    tar.directory("names").add("names/" + "n" * 255, data=b"255").add("names/with space", data=b"s")
    tar.add("names/grüße-日本", data=b"u").add("names/new\nline", data=b"n").add("names/back\\slash", data=b"b")
    tar.add("names/.hidden", data=b"h").add("names/-dash", data=b"d").add("names/wh.not-a-whiteout", data=b"w")
    for form, directory in [(tarfile.PAX_FORMAT, "names/pax"), (tarfile.GNU_FORMAT, "names/gnu")]:
        tar.directory(directory)
        for _ in range(4):
            directory += "/" + "d" * 90
            tar.directory(directory, form=form)
        tar.add(directory + "/file", data=b"deep", form=form)
        tar.symlink(directory + "/link", "t" * 300, form=form)
        tar.hardlink(directory + "/hard", directory + "/file", form=form)
    # ustar's own way: a prefix of up to 155 bytes beside a name of up to 100.
    tar.directory("names/ustar", form=tarfile.USTAR_FORMAT).directory("names/ustar/" + "p" * 80, form=tarfile.USTAR_FORMAT)
    tar.add("names/ustar/" + "p" * 80 + "/" + "f" * 90, data=b"ustar", form=tarfile.USTAR_FORMAT)


def times_and_sizes(tar):
    tar.directory("times").add("times/epoch", mtime=0).add("times/later", mtime=2 ** 32 + 5)
    tar.add("times/fraction", pax={"mtime": "1234567890.123456789"}).add("times/before", pax={"mtime": "-86400"})
    tar.directory("times/directory", mtime=1000000000).add("times/directory/inside", mtime=1000000001)
    tar.directory("sizes").add("sizes/zero").add("sizes/block", data=b"b" * 512).add("sizes/more", data=b"m" * 513)
    tar.add("sizes/megabyte", data=bytes(range(256)) * 4096)
    tar.directory("sparse")
    tar.sparse_pax("sparse/pax", 8 << 20, PIECES)
    tar.sparse_pax("sparse/hole", 4 << 20, [(4 << 20, b"")])


def changes():
    """A layer that hides, replaces and links to what is below it."""
    tar = Tar()
    tar.add(".wh.gone", mode=0).add(".wh.gone-directory", mode=0)
    tar.directory("opaque", mtime=EPOCH + 60).add("opaque/.wh..wh..opq", mode=0).add("opaque/new", data=b"upper\n")
    tar.directory("opaque/sub", mtime=EPOCH + 60).add("opaque/sub/d", data=b"upper\n")
    tar.add("becomes-file", data=b"now a file\n").directory("becomes-directory", mtime=EPOCH + 60)
    tar.add("becomes-directory/inside", data=b"upper\n").add(".wh.comes-back", mode=0)
    tar.add("loses-xattr", data=b"upper\n").directory("meta", 0o711, uid=1000, mtime=EPOCH + 60)
    tar.directory("hard", mtime=EPOCH + 60).hardlink("hard/from-above", "hard/lower", mode=0o600, uid=7)
    tar.directory("fresh", mtime=EPOCH + 60).add("fresh/.wh..wh..opq", mode=0).add("fresh/file", data=b"upper\n")
    tar.add("again", data=b"first of two\n").add("again", data=b"second of two\n")
    tar.directory("twice", 0o700, mtime=EPOCH + 60).directory("twice", 0o751, mtime=EPOCH + 90)
    return tar.finish()


def last():
    tar = Tar()
    tar.add("comes-back", data=b"upper\n").directory("opaque", mtime=EPOCH + 120).add("opaque/.wh.new", mode=0)
    tar.directory("hard", mtime=EPOCH + 120).add("hard/.wh.one", mode=0).directory("gone-directory", mtime=EPOCH + 120)
    tar.add("gone-directory/z", data=b"upper\n").add("top", data=b"top\n")
    return tar.finish()


def main():
    busybox, probe, out = sys.argv[1:]
    system = base(busybox, probe)

    layout = Layout(f"{out}/busybox")
    layout.tag(layout.image([layout.layer(system)], HERE), "latest")

    layout = Layout(f"{out}/layers")
    for compression in ["gzip", "zstd", "none"]:
        tars = [system, everything(), changes(), last()]
        layout.tag(layout.image([layout.layer(tar, compression) for tar in tars], HERE), compression)
    # Apart, because umoci, which the tests compare with, does not read the old format.
    sparse = Tar().sparse_gnu("old", 8 << 20, PIECES).sparse_pax("new", 8 << 20, PIECES).finish()
    layout.tag(layout.image([layout.layer(sparse)], HERE), "sparse")

    layout = Layout(f"{out}/multi")
    manifests = []
    for architecture, variant in [("386", None), ("amd64", None), ("arm", "v6"), ("arm", "v7"), ("arm64", "v8"),
                                  ("s390x", None)]:
        platform = {"architecture": architecture, "os": "linux", **({"variant": variant} if variant else {})}
        name = "/".join(filter(None, ["linux", architecture, variant]))
        layers = [layout.layer(Tar().add("platform", data=name.encode() + b"\n").finish())]
        if platform == HERE:
            layers.insert(0, layout.layer(system))
        manifests.append({**layout.image(layers, platform), "platform": platform})
    # What build tools attach to an image: no platform that anybody runs.
    nowhere = {"architecture": "unknown", "os": "unknown"}
    manifests.append({**layout.image([layout.layer(Tar().add("attestation").finish())], nowhere), "platform": nowhere,
                      "annotations": {"vnd.docker.reference.type": "attestation-manifest"}})
    layout.tag(layout.index(manifests), "latest")

    layout = Layout(f"{out}/deep")
    layers = [layout.layer(system)]
    for number in range(1, 130):
        tar = Tar().directory("layers").add(f"layers/{number:03}", data=f"{number}\n".encode())
        layers.append(layout.layer(tar.add("top", data=f"{number}\n".encode()).finish()))
    layout.tag(layout.image(layers, HERE), "latest")


main()
