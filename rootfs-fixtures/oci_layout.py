"""Writes OCI image layouts with the standard library: tar entries as they are wanted, down to the header's format."""
import gzip
import hashlib
import io
import json
import os
import subprocess
import tarfile

EPOCH = 1704067200  # 2024-01-01, so that every build gives the same digests
LAYER = "application/vnd.oci.image.layer.v1.tar"


class Tar:
    """Entries in the order given; each in PAX unless another format is named."""

    def __init__(self):
        self.bytes = io.BytesIO()

    def add(self, name, kind=tarfile.REGTYPE, data=b"", mode=None, uid=0, gid=0, mtime=EPOCH, link="", device=None,
            xattrs=None, pax=None, form=tarfile.PAX_FORMAT):
        info = tarfile.TarInfo(name)
        info.type = kind
        info.size = len(data)
        info.mode = mode if mode is not None else (0o755 if kind == tarfile.DIRTYPE else 0o644)
        info.uid, info.gid, info.mtime, info.linkname = uid, gid, mtime, link
        if device:
            info.devmajor, info.devminor = device
        records = {f"SCHILY.xattr.{key}": value.decode("utf-8", "surrogateescape")
                   for key, value in (xattrs or {}).items()}
        records.update(pax or {})
        info.pax_headers = records
        self.bytes.write(info.tobuf(form, "utf-8", "surrogateescape"))
        self.bytes.write(data + bytes(-len(data) % 512))
        return self

    def directory(self, name, mode=0o755, **more):
        return self.add(name.rstrip("/") + "/", tarfile.DIRTYPE, mode=mode, **more)

    def symlink(self, name, target, **more):
        return self.add(name, tarfile.SYMTYPE, mode=0o777, link=target, **more)

    def hardlink(self, name, target, **more):
        return self.add(name, tarfile.LNKTYPE, link=target, **more)

    def sparse_pax(self, name, size, pieces, mtime=EPOCH):
        """GNU's sparse format 1.0: a map of offsets and lengths, padded to a block, then the pieces (tar manual, D)."""
        numbers = [len(pieces)] + [n for offset, data in pieces for n in (offset, len(data))]
        table = "".join(f"{n}\n" for n in numbers).encode()
        body = table + bytes(-len(table) % 512) + b"".join(data for _, data in pieces)
        directory, base = os.path.split(name)
        records = {"GNU.sparse.major": "1", "GNU.sparse.minor": "0", "GNU.sparse.name": name,
                   "GNU.sparse.realsize": str(size)}
        return self.add(f"{directory}/GNUSparseFile.0/{base}", data=body, mtime=mtime, pax=records)

    def sparse_gnu(self, name, size, pieces, mtime=EPOCH):
        """The old GNU format: type S, up to four pieces in the header itself."""
        data = b"".join(piece for _, piece in pieces)
        info = tarfile.TarInfo(name)
        info.type, info.size, info.mode, info.mtime = b"S", len(data), 0o644, mtime
        header = bytearray(info.tobuf(tarfile.GNU_FORMAT))
        for i, (offset, piece) in enumerate(pieces):
            header[386 + 24 * i:398 + 24 * i] = b"%011o\0" % offset
            header[398 + 24 * i:410 + 24 * i] = b"%011o\0" % len(piece)
        header[482] = 0
        header[483:495] = b"%011o\0" % size
        header[148:156] = b" " * 8
        header[148:156] = b"%06o\0 " % sum(header[:512])
        self.bytes.write(header)
        self.bytes.write(data + bytes(-len(data) % 512))
        return self

    def finish(self):
        return self.bytes.getvalue() + bytes(1024)


class Layout:
    """One image layout (OCI image spec, image-layout.md)."""

    def __init__(self, path):
        self.path = path
        self.roots = []
        os.makedirs(f"{path}/blobs/sha256")
        with open(f"{path}/oci-layout", "w") as file:
            file.write('{"imageLayoutVersion":"1.0.0"}')

    def blob(self, data, media_type):
        digest = hashlib.sha256(data).hexdigest()
        with open(f"{self.path}/blobs/sha256/{digest}", "wb") as file:
            file.write(data)
        return {"mediaType": media_type, "digest": f"sha256:{digest}", "size": len(data)}

    def json(self, value, media_type):
        return self.blob(json.dumps(value, separators=(",", ":"), sort_keys=True).encode(), media_type)

    def layer(self, tar, compression="gzip"):
        """The descriptor and the diff ID of a tar's bytes."""
        diff_id = "sha256:" + hashlib.sha256(tar).hexdigest()
        if compression == "gzip":
            return self.blob(gzip.compress(tar, 6, mtime=0), LAYER + "+gzip"), diff_id
        if compression == "zstd":
            packed = subprocess.run(["zstd", "-qc"], input=tar, capture_output=True, check=True).stdout
            return self.blob(packed, LAYER + "+zstd"), diff_id
        return self.blob(tar, LAYER), diff_id

    def image(self, layers, platform, config=None):
        document = {
            "created": "2024-01-01T00:00:00Z", **platform,
            "config": {"Env": ["PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"], "Cmd": ["sh"],
                       **(config or {})},
            "rootfs": {"type": "layers", "diff_ids": [diff_id for _, diff_id in layers]},
            "history": [{"created": "2024-01-01T00:00:00Z", "created_by": f"layer {i}"} for i in range(len(layers))],
        }
        manifest = {
            "schemaVersion": 2, "mediaType": "application/vnd.oci.image.manifest.v1+json",
            "config": self.json(document, "application/vnd.oci.image.config.v1+json"),
            "layers": [descriptor for descriptor, _ in layers],
        }
        return self.json(manifest, manifest["mediaType"])

    def index(self, manifests):
        media_type = "application/vnd.oci.image.index.v1+json"
        return self.json({"schemaVersion": 2, "mediaType": media_type, "manifests": manifests}, media_type)

    def tag(self, descriptor, name):
        self.roots.append({**descriptor, "annotations": {"org.opencontainers.image.ref.name": name}})
        with open(f"{self.path}/index.json", "w") as file:
            json.dump({"schemaVersion": 2, "mediaType": "application/vnd.oci.image.index.v1+json",
                       "manifests": self.roots}, file, separators=(",", ":"))
