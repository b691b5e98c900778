"""The images that are measured with, apart from the fixtures' busybox."""
import hashlib
import io
import json
import os
import subprocess
import tarfile

from peers import HERE

COUNT = 200


def big_layout(cache):
    """The layout of the big image, with the tags gzip and zstd, made when the scripts that make it have changed."""
    digest = hashlib.sha256()
    for script in ("big_image.sh", "big_image.py"):
        with open(f"{HERE}/{script}", "rb") as file:
            digest.update(file.read())
    layout, stamp = f"{cache}/big", f"{cache}/big.stamp"
    if os.path.exists(stamp):
        with open(stamp) as file:
            if file.read() == digest.hexdigest():
                return layout
    print("making the big image, which takes some minutes once", flush=True)
    os.makedirs(cache, exist_ok=True)
    subprocess.run(["sh", f"{HERE}/big_image.sh", layout], check=True)
    with open(stamp, "w") as file:
        file.write(digest.hexdigest())
    return layout


def many(path):
    """Writes an archive as of `docker save` with 200 images; each has a layer that all have and one of its own."""
    shared = tar({"shared": b"of all"})
    manifest = []
    with tarfile.open(path, "w") as archive:
        add(archive, "shared.tar", shared)
        for number in range(COUNT):
            own = tar({"own": b"%d" % number})
            config = {"architecture": "amd64", "os": "linux", "created": "2024-01-01T00:00:00Z",
                      "config": {"Cmd": ["own"]},
                      "rootfs": {"type": "layers", "diff_ids": [diff_id(shared), diff_id(own)]}}
            data = json.dumps(config).encode()
            name = hashlib.sha256(data).hexdigest() + ".json"
            add(archive, name, data)
            add(archive, f"{number}.tar", own)
            manifest.append({"Config": name, "RepoTags": [f"many:{number}"], "Layers": ["shared.tar", f"{number}.tar"]})
        add(archive, "manifest.json", json.dumps(manifest).encode())


def diff_id(data):
    return "sha256:" + hashlib.sha256(data).hexdigest()


def tar(files):
    written = io.BytesIO()
    with tarfile.open(fileobj=written, mode="w") as archive:
        for name, data in files.items():
            add(archive, name, data)
    return written.getvalue()


def add(archive, name, data):
    info = tarfile.TarInfo(name)
    info.size = len(data)
    archive.addfile(info, io.BytesIO(data))
