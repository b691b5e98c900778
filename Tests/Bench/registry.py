"""Debian's docker-registry on a free port of loopback."""
import socket
import subprocess

import enclosure

CONFIGURATION = """version: 0.1
log:
  level: error
  accesslog:
    disabled: true
storage:
  filesystem:
    rootdirectory: {storage}
http:
  addr: {host}
"""


class Registry:
    def __init__(self, bench):
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.host = "127.0.0.1:%d" % free.getsockname()[1]
        configuration = f"{enclosure.VOLATILE}/registry.yml"
        with open(configuration, "w") as file:
            file.write(CONFIGURATION.format(storage=f"{enclosure.work()}/registry", host=self.host))
        with open(f"{enclosure.work()}/registry.log", "w") as log:
            self.process = subprocess.Popen(["docker-registry", "serve", configuration], stdin=subprocess.DEVNULL,
                                            stdout=log, stderr=log)
        bench.wait(self.accepts, "docker-registry")

    def accepts(self):
        with socket.socket() as asked:
            host, port = self.host.split(":")
            return asked.connect_ex((host, int(port))) == 0

    def push(self, source, name):
        """Gives the name that it is pulled by."""
        reference = f"{self.host}/{name}"
        subprocess.run(["skopeo", "--insecure-policy", "copy", "--quiet", "--all", "--preserve-digests",
                        "--dest-tls-verify=false", source, f"docker://{reference}"], check=True)
        return reference

    def stop(self):
        self.process.terminate()
        self.process.wait()
