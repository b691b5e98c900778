"""The engines, which have docker's command line: podman, docker, runimg."""
import os
import subprocess

import enclosure
from measure import Absent, Command, output
from peers import REPOSITORY, SERVERS, SLEEP, Peer, words


class Engine(Peer):
    """Subclasses give `prefix`, the Command without a verb, and what differs."""
    run_flags = pull_flags = remove_flags = ()

    def run(self, network="none", terminal=False):
        flags = ("--rm", "--network", network, *(("-it",) if terminal else ()))
        return self.prefix.then("run", *flags, *self.run_flags, self.bench.small, "true")

    def detach(self, name):
        """The command that starts one which waits."""
        flags = ("-d", "--network", "none", "--name", name)
        return self.prefix.then("run", *flags, *self.run_flags, self.bench.small, *SLEEP)

    def detached(self, name):
        output(self.detach(name))
        return name

    def execute(self, container):
        return self.prefix.then("exec", container, "true")

    def remove(self, containers):
        return self.prefix.then("rm", "-f", *self.remove_flags, *containers)

    def pull(self, reference):
        return self.prefix.then("pull", "-q", *self.pull_flags, reference)

    def load(self, archive):
        return self.prefix.then("load", "-q", "-i", archive)

    def list_images(self):
        return self.prefix.then("images")

    def remove_image(self, reference):
        return self.prefix.then("rmi", "-f", reference)

    def make(self, name, image, *command):
        return self.prefix.then("create", "--network", "none", "--name", name, *self.run_flags, image, *command)

    def begin(self, name):
        return self.prefix.then("start", "-a", name)

    def commit(self, container, reference):
        return self.prefix.then("commit", container, reference)

    def list_containers(self):
        return self.prefix.then("ps", "-a")

    def init(self, container):
        """The number of a container's first process."""
        return int(output(self.prefix.then("inspect", "-f", "{{.State.Pid}}", container)))


class Runimg(Engine):
    name = "runimg"
    note = "each command; syncs what it reports as done"

    def start(self):
        binary = f"{REPOSITORY}/.build/release/runimg"
        self.prefix = Command((self.program(binary), "--data-root", self.place))
        output(self.pull(self.bench.small))

    def version(self):
        return output(self.prefix.then("--version")).split()[2].rstrip(",")

    def stop(self):
        subprocess.run([*self.prefix.line, "rm", "-f", "--all"], stdout=subprocess.DEVNULL, check=False)


class Podman(Engine):
    name = "podman"
    note = "crun, overlay, conmon; networks by CNI's plugins"
    run_flags = ("--cgroup-parent", f"/{enclosure.CGROUP}")
    pull_flags = ("--tls-verify=false",)
    remove_flags = ("-t", "0")

    def start(self):
        own = f"{SERVERS}/podman"
        self.binary = self.program(f"{own}/bin/podman", "podman")
        is_own = self.binary.startswith(own)
        directory = f"{enclosure.VOLATILE}/podman"
        os.makedirs(f"{directory}/networks")
        crun = self.program(f"{SERVERS}/crun/libexec/crun", "crun")
        libraries = f"{own}/lib:{SERVERS}/crun/lib"
        with open(f"{directory}/containers.conf", "w") as file:
            # podman's own limits are more than a caller without CAP_SYS_RESOURCE may give; and conmon is not handed on
            # the variable that names crun's libraries unless told.
            file.write('[containers]\ndefault_ulimits = ["nofile=1024:1024", "nproc=1024:1024"]\n'
                       f'[engine]\nconmon_env_vars = ["LD_LIBRARY_PATH={libraries}"]\n'
                       '[network]\nnetwork_backend = "cni"\ncni_plugin_dirs = ["/usr/lib/cni"]\n')
        os.makedirs("/etc/containers", exist_ok=True)
        with open("/etc/containers/policy.json", "w") as file:
            file.write('{"default":[{"type":"insecureAcceptAnything"}]}')
        conmon = self.program(f"{own}/bin/conmon", "conmon")
        places = ("--root", self.place, "--runroot", f"{directory}/run", "--tmpdir", f"{directory}/tmp",
                  "--network-config-dir", f"{directory}/networks", "--storage-driver", "overlay", "--events-backend",
                  "file", "--cgroup-manager", "cgroupfs", "--runtime", crun, "--conmon", conmon)
        environment = {"CONTAINERS_CONF": f"{directory}/containers.conf",
                       **({"LD_LIBRARY_PATH": libraries} if is_own else {})}
        self.prefix = Command((self.binary, *places), environment)
        output(self.pull(self.bench.small))

    def version(self):
        return output(self.prefix.then("--version")).split()[2]

    def run(self, network="none", terminal=False):
        # Its default network has the name podman.
        return super().run("podman" if network == "bridge" else network, terminal)


class Docker(Engine):
    name = "docker"
    note = "dockerd, containerd and runc; overlay2"
    daemon = None

    def start(self):
        own = f"{SERVERS}/docker"
        environment = {"DOCKER_HOST": f"unix://{enclosure.VOLATILE}/docker.sock"}
        if os.path.exists(f"{own}/bin/dockerd"):
            environment["PATH"] = f"{own}/bin:{os.environ['PATH']}"
            environment["LD_LIBRARY_PATH"] = f"{own}/lib"
        self.prefix = Command((self.program(f"{own}/bin/docker", "docker"),), environment)
        places = ("--data-root", self.place, "--exec-root", f"{enclosure.VOLATILE}/docker", "--pidfile",
                  f"{enclosure.VOLATILE}/docker.pid", "-H", environment["DOCKER_HOST"])
        line = (self.program(f"{own}/bin/dockerd", "dockerd"), *places, "--cgroup-parent", f"/{enclosure.CGROUP}",
                "--storage-driver", "overlay2")
        log = f"{enclosure.work()}/docker.log"
        with open(log, "w") as file:
            self.daemon = subprocess.Popen(line, env={**os.environ, **environment}, stdin=subprocess.DEVNULL,
                                           stdout=file, stderr=file)
        try:
            self.bench.wait(self.answers, "dockerd")
        except Absent:
            with open(log) as file:
                lines = file.read().splitlines()
            raise Absent(f"dockerd does not start: {lines[-1] if lines else 'it says nothing'}") from None
        output(self.pull(self.bench.small))

    def answers(self):
        if self.daemon.poll() is not None:
            raise Absent("it ended")
        try:
            output(self.prefix.then("version"))
        except Absent:
            return False
        return True

    def version(self):
        return output(self.prefix.then("version", "--format", "{{.Server.Version}}")).strip()

    def daemons(self):
        return {"dockerd": self.daemon.pid,
                "containerd": int(words(f"{enclosure.VOLATILE}/docker/containerd/containerd.pid")[0])}

    def stop(self):
        if self.daemon:
            self.daemon.terminate()
            self.daemon.wait()
