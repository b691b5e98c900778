"""Usage: make_servers.py ROOT BUSYBOX OUT. From packages that are unpacked in ROOT: the layouts nginx and postgres with
what the official images have (entrypoint, stop signal, ports, volume, health check), and the programs of docker, podman and
crun in OUT/docker, OUT/podman and OUT/crun."""
import glob
import os
import re
import shutil
import subprocess
import sys

from oci_layout import Layout, Tar

MACHINES = {"x86_64": {"architecture": "amd64", "os": "linux"},
            "aarch64": {"architecture": "arm64", "os": "linux", "variant": "v8"}}
HERE = MACHINES.get(os.uname().machine, {"architecture": os.uname().machine, "os": "linux"})
SECOND = 1_000_000_000

PASSWD = """root:x:0:0:root:/root:/bin/sh
nginx:x:101:101:nginx:/nonexistent:/bin/false
postgres:x:999:999:PostgreSQL:/var/lib/postgresql:/bin/sh
nobody:x:65534:65534:nobody:/nonexistent:/bin/false
"""
GROUP = "root:x:0:\nnginx:x:101:\npostgres:x:999:\nnogroup:x:65534:\n"

NGINX_CONF = """user nginx;
worker_processes 2;
error_log /var/log/nginx/error.log notice;
pid /run/nginx.pid;
events { worker_connections 256; }
http {
    include /etc/nginx/mime.types;
    access_log /var/log/nginx/access.log;
    include /etc/nginx/conf.d/*.conf;
}
"""
NGINX_SITE = """server {
    listen 80;
    location / { root /usr/share/nginx/html; index index.html; }
}
"""
NGINX_ENTRYPOINT = """#!/bin/sh
set -e
echo "entrypoint: $# arguments" >&2
exec "$@"
"""
# As root it gives the data to postgres and goes on as that user; as another it takes what it has.
POSTGRES_ENTRYPOINT = """#!/bin/sh
set -e
if [ "$(id -u)" = 0 ]; then
    mkdir -p "$PGDATA"
    chown postgres "$PGDATA"
    chmod 700 "$PGDATA"
    exec su -s /bin/sh postgres -c 'exec "$0" "$@"' "$0" "$@"
fi
if [ "$1" = postgres ] && [ ! -s "$PGDATA/PG_VERSION" ]; then
    initdb -D "$PGDATA" -U postgres -A trust -E UTF8 --locale=C $POSTGRES_INITDB_ARGS
    echo "entrypoint: initialized" >&2
fi
exec "$@"
"""


class Packages:
    """Files of unpacked packages, with the libraries that programs among them load."""

    def __init__(self, root):
        self.root = root
        self.places = [os.path.relpath(path, root) for pattern in ["lib", "lib/*-linux-gnu", "usr/lib/*-linux-gnu"]
                       for path in glob.glob(f"{root}/{pattern}")]

    def needed(self, path):
        """The libraries that the program or library `path` names, and its loader."""
        text = subprocess.run(["objdump", "-p", "-s", "-j", ".interp", f"{self.root}/{path}"], capture_output=True,
                              text=True).stdout
        return re.findall(r"^\s*NEEDED\s+(\S+)", text, re.M)

    def library(self, name):
        found = [f"{place}/{name}" for place in self.places if os.path.lexists(f"{self.root}/{place}/{name}")]
        if not found:
            sys.exit(f"make_servers.py: no package has {name}")
        return found[0]

    def closure(self, paths):
        """`paths` with all that they load, and what links among those lead to."""
        done, left = set(), list(paths)
        while left:
            path = left.pop()
            if path in done:
                continue
            done.add(path)
            full = f"{self.root}/{path}"
            if os.path.islink(full):
                target = os.readlink(full)
                left.append(os.path.normpath(target.lstrip("/") if target.startswith("/")
                                             else f"{os.path.dirname(path)}/{target}"))
            else:
                left += [self.library(name) for name in self.needed(path)]
        return done


class Tree:
    """A layer: files of packages at their places, with their directories, each once."""

    def __init__(self, packages):
        self.packages, self.tar, self.made = packages, Tar(), set()

    def parents(self, path):
        directory = os.path.dirname(path)
        if directory and directory not in self.made:
            self.parents(directory)
            self.directory(directory)

    def directory(self, path, mode=0o755, **more):
        self.parents(path)
        self.made.add(path)
        self.tar.directory(path, mode, **more)
        return self

    def file(self, path, data, mode=0o644):
        self.parents(path)
        self.tar.add(path, data=data if isinstance(data, bytes) else data.encode(), mode=mode)
        return self

    def symlink(self, path, target):
        self.parents(path)
        self.tar.symlink(path, target)
        return self

    def take(self, paths):
        """Copies files, links and whole directories out of the packages."""
        for path in sorted(paths):
            full = f"{self.packages.root}/{path}"
            if os.path.islink(full):
                self.symlink(path, os.readlink(full))
            elif os.path.isdir(full):
                self.directory(path)
                self.take(f"{path}/{name}" for name in os.listdir(full))
            else:
                with open(full, "rb") as file:
                    self.file(path, file.read(), os.stat(full).st_mode & 0o777)
        return self

    def finish(self):
        return self.tar.finish()


def system(packages, busybox, common):
    """What both images stand on: busybox, the C library with its loader, users."""
    tree = Tree(packages)
    for name in ["dev", "proc", "sys", "var/tmp"]:
        tree.directory(name)
    tree.directory("root", 0o700).directory("tmp", 0o1777).directory("run", 0o755).symlink("var/run", "/run")
    with open(busybox, "rb") as file:
        tree.file("bin/busybox", file.read(), 0o755)
    applets = subprocess.run([busybox, "--list"], capture_output=True, check=True, text=True).stdout.split()
    for applet in sorted(set(applets) - {"busybox"}):
        tree.symlink(f"bin/{applet}", "busybox")
    tree.file("etc/passwd", PASSWD).file("etc/group", GROUP).file("etc/nsswitch.conf", "passwd: files\ngroup: files\n")
    return tree.take(common).finish()


def nginx(packages, files):
    tree = Tree(packages).take(files).take(["etc/nginx/mime.types"])
    tree.file("etc/nginx/nginx.conf", NGINX_CONF).file("etc/nginx/conf.d/default.conf", NGINX_SITE)
    tree.file("usr/share/nginx/html/index.html", "<h1>It is served.</h1>\n")
    tree.directory("var/lib/nginx").directory("var/log/nginx")
    tree.symlink("var/log/nginx/access.log", "/dev/stdout").symlink("var/log/nginx/error.log", "/dev/stderr")
    return tree.file("entrypoint.sh", NGINX_ENTRYPOINT, 0o755).finish()


def postgres(packages, files, home):
    tree = Tree(packages).take(files).take([f"usr/share/postgresql/{os.path.basename(home)}"])
    own = {"uid": 999, "gid": 999}
    tree.directory("var/lib/postgresql", 0o755, **own).directory("var/lib/postgresql/data", 0o700, **own)
    tree.directory("run/postgresql", 0o3777, **own)
    # Enough for a server whose clock is UTC.
    tree.take(["usr/share/zoneinfo/Etc/UTC"]).symlink("usr/share/zoneinfo/UTC", "Etc/UTC")
    return tree.file("entrypoint.sh", POSTGRES_ENTRYPOINT, 0o755).finish()


def write(out, name, layers, config):
    layout = Layout(f"{out}/{name}")
    stored = [layout.layer(layer, "zstd") for layer in layers]
    layout.tag(layout.image(stored, HERE, config), "latest")


def images(packages, busybox, out):
    home = glob.glob(f"{packages.root}/usr/lib/postgresql/*")[0][len(packages.root) + 1:]
    programs = [f"{home}/bin/{name}" for name in ["postgres", "initdb", "pg_ctl", "pg_dump", "pg_isready", "psql"]]
    modules = [os.path.relpath(path, packages.root) for path in glob.glob(f"{packages.root}/{home}/lib/*.so")
               if os.path.basename(path) in ("plpgsql.so", "dict_snowball.so") or "_and_" in path]
    web, data = packages.closure(["usr/sbin/nginx"]), packages.closure(programs + modules)
    loader = [os.path.relpath(path, packages.root) for path in glob.glob(f"{packages.root}/lib*/ld-linux-*.so.*")]
    base = system(packages, busybox, packages.closure(loader) | (web & data))
    write(out, "nginx", [base, nginx(packages, web - data)], {
        "Entrypoint": ["/entrypoint.sh"], "Cmd": ["nginx", "-g", "daemon off;"], "ExposedPorts": {"80/tcp": {}},
        "StopSignal": "SIGQUIT", "Labels": {"maintainer": "fixture"},
        "Healthcheck": {"Test": ["CMD-SHELL", "wget -q -O /dev/null http://127.0.0.1/"], "Interval": SECOND,
                        "Timeout": 10 * SECOND, "Retries": 3}})
    path = f"/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin:/{home}/bin"
    write(out, "postgres", [base, postgres(packages, data - web, home)], {
        "Entrypoint": ["/entrypoint.sh"], "Cmd": ["postgres"], "ExposedPorts": {"5432/tcp": {}},
        "StopSignal": "SIGINT", "Volumes": {"/var/lib/postgresql/data": {}},
        "Env": [f"PATH={path}", "LANG=C.UTF-8", "PGDATA=/var/lib/postgresql/data"],
        "Healthcheck": {"Test": ["CMD", "pg_isready", "-q", "-U", "postgres"], "Interval": SECOND,
                        "Timeout": 10 * SECOND, "Retries": 3}})


def peer(packages, out, programs, libraries):
    """Programs beside each other, and those of their libraries that a machine without them may lack."""
    paths = [path for name in programs for path in glob.glob(f"{packages.root}/usr/*bin/{name}")]
    os.makedirs(f"{out}/bin")
    os.makedirs(f"{out}/lib")
    for path in paths:
        name = os.path.basename(path).replace("tini-static", "docker-init")
        shutil.copy2(path, f"{out}/bin/{name}")
    for path in packages.closure([os.path.relpath(path, packages.root) for path in paths]):
        # The C library is one with its loader, which is the machine's own.
        if re.search(rf"/lib({libraries})\.so[^/]*$", path):
            shutil.copy2(f"{packages.root}/{path}", f"{out}/lib/{os.path.basename(path)}")


# crun 1.8 refuses a machine whose second hierarchy of control groups, beside those of the first kind, has controllers.
# It is shown a machine without: what it starts gets only namespaces of its own making.
CRUN = """#!/bin/sh
here=${0%/*}
export LD_LIBRARY_PATH="$here/../lib"
second=/sys/fs/cgroup/unified/cgroup.controllers
if [ -e $second ] && read -r controllers <$second && [ -n "$controllers" ]; then
    exec unshare -m --propagation unchanged sh -c '
        mount --make-rprivate /sys/fs/cgroup && umount /sys/fs/cgroup/unified && exec "$0" "$@"
    ' "$here/../libexec/crun" "$@"
fi
exec "$here/../libexec/crun" "$@"
"""


def crun(packages, out):
    """The program with its libraries, and how it is started."""
    peer(packages, out, ["crun"], "yajl|seccomp|cap|systemd|lz4|lzma|zstd|gcrypt|gpg-error")
    os.makedirs(f"{out}/libexec")
    os.rename(f"{out}/bin/crun", f"{out}/libexec/crun")
    with open(f"{out}/bin/crun", "w") as file:
        file.write(CRUN)
    os.chmod(f"{out}/bin/crun", 0o755)


def main():
    root, busybox, out = sys.argv[1:]
    packages = Packages(root)
    images(packages, busybox, out)
    peer(packages, f"{out}/docker", [
        "dockerd", "docker", "docker-proxy", "containerd", "ctr", "containerd-shim-runc-v2", "runc", "tini-static",
    ], "devmapper|seccomp")
    peer(packages, f"{out}/podman", ["podman", "conmon"], "devmapper|seccomp|gpgme|assuan|subid|glib-2.0")
    crun(packages, f"{out}/crun")


main()
