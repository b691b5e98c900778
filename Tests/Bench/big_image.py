"""Makes an OCI layout of an image whose layers are these tars, with the tags gzip and zstd: big_image.py LAYOUT TAR…"""
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../rootfs-fixtures"))
from oci_layout import Layout  # noqa: E402

PLATFORM = {"architecture": "amd64", "os": "linux"}


def main(path, tars):
    layout = Layout(path)
    for compression in ("gzip", "zstd"):
        layers = []
        for tar in tars:
            with open(tar, "rb") as file:
                layers.append(layout.layer(file.read(), compression))
        layout.tag(layout.image(layers, PLATFORM), compression)


main(sys.argv[1], sys.argv[2:])
