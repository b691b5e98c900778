"""Usage: make_image.py FIXTURES OUT. Writes a layout with one image, `latest`: a system that runs and five layers with
some megabytes each, many small files and a few large ones, of bytes that no compression shrinks."""
import json
import random
import sys

fixtures, out = sys.argv[1:]
sys.path.insert(0, fixtures)
from oci_layout import Layout, Tar  # noqa: E402

HERE = {"architecture": "amd64", "os": "linux"}


def layer(number):
    # The same bytes in every run, so that digests can be compared between runs.
    source = random.Random(number)
    tar = Tar().directory("srv").directory(f"srv/{number}")
    for directory in range(6):
        name = f"srv/{number}/{directory}"
        tar.directory(name)
        for file in range(25):
            tar.add(f"{name}/{file}", data=source.randbytes(source.randrange(1, 9000)), mode=0o640, uid=1000 + file,
                    xattrs={"user.number": str(file).encode()} if file % 5 == 0 else None)
        tar.hardlink(f"{name}/again", f"{name}/0").symlink(f"{name}/link", f"../{directory}/1")
    tar.add(f"srv/{number}/large", data=source.randbytes(3 << 20))
    if number > 1:
        tar.directory(f"srv/{number - 1}").add(f"srv/{number - 1}/.wh.large", mode=0)
    return tar.finish()


layout = Layout(out)
with open(f"{fixtures}/out/busybox/index.json", encoding="utf-8") as file:
    manifest = json.load(file)["manifests"][0]["digest"].split(":")[1]


def blob(digest):
    with open(f"{fixtures}/out/busybox/blobs/sha256/{digest.split(':')[-1]}", "rb") as file:
        return file.read()


base = json.loads(blob(manifest))
system = base["layers"][0]
diff_id = json.loads(blob(base["config"]["digest"]))["rootfs"]["diff_ids"][0]
layers = [(layout.blob(blob(system["digest"]), system["mediaType"]), diff_id)]
layers += [layout.layer(layer(number)) for number in range(1, 6)]
layout.tag(layout.image(layers, HERE), "latest")
