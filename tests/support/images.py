"""Container images and tar files made by hand, with the standard library alone, to be read by what is tested."""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import tarfile
from pathlib import Path
from typing import Any

OCI = {
    "manifest": "application/vnd.oci.image.manifest.v1+json",
    "config": "application/vnd.oci.image.config.v1+json",
    "layer": "application/vnd.oci.image.layer.v1.tar",
    "gzip": "+gzip",
}
DOCKER = {
    "manifest": "application/vnd.docker.distribution.manifest.v2+json",
    "config": "application/vnd.docker.container.image.v1+json",
    "layer": "application/vnd.docker.image.rootfs.diff.tar",
    "gzip": ".gzip",
}
INDEX = "application/vnd.oci.image.index.v1+json"


def digest(content: bytes) -> str:
    return f"sha256:{hashlib.sha256(content).hexdigest()}"


class Tarball:
    """A tar archive, entry by entry."""

    def __init__(self) -> None:
        self._file = io.BytesIO()
        self._tar = tarfile.TarFile(fileobj=self._file, mode="w", format=tarfile.PAX_FORMAT)

    def add(self, name: str, kind: bytes = tarfile.REGTYPE, content: bytes = b"", **fields: Any) -> Tarball:
        info = tarfile.TarInfo(name)
        info.type, info.size, info.mtime, info.mode = kind, len(content), 1_700_000_000, 0o644
        for key, value in fields.items():
            setattr(info, key, value)
        self._tar.addfile(info, io.BytesIO(content))
        return self

    def file(self, name: str, content: bytes = b"", **fields: Any) -> Tarball:
        return self.add(name, tarfile.REGTYPE, content, **fields)

    def directory(self, name: str, mode: int = 0o755, **fields: Any) -> Tarball:
        return self.add(name, tarfile.DIRTYPE, mode=mode, **fields)

    def link(self, name: str, points_to: str, **fields: Any) -> Tarball:
        return self.add(name, tarfile.SYMTYPE, linkname=points_to, mode=0o777, **fields)

    def hard_link(self, name: str, other: str) -> Tarball:
        return self.add(name, tarfile.LNKTYPE, linkname=other)

    def tree(self, directory: Path, prefix: str = "./") -> Tarball:
        """Everything below ``folder``, owned by root."""

        def owned(info: tarfile.TarInfo) -> tarfile.TarInfo:
            info.uid = info.gid = 0
            info.uname = info.gname = "root"
            return info

        self._tar.add(directory, prefix, filter=owned)
        return self

    def end(self) -> bytes:
        self._tar.close()
        return self._file.getvalue()


def entries(archive: bytes) -> dict[str, tuple[Any, ...]]:
    """What a tar archive holds: type, permissions, owner, link text, content; later entries win."""
    found: dict[str, tuple[Any, ...]] = {}
    with tarfile.open(fileobj=io.BytesIO(archive)) as tar:
        for info in tar:
            file = tar.extractfile(info) if info.isreg() else None
            name = info.name.removeprefix("./")
            found[name] = (
                info.type,
                info.mode & 0o7777,
                (info.uid, info.gid),
                info.linkname,
                file.read() if file else b"",
            )
    return found


class LayoutDirectory:
    """An OCI image layout on disk."""

    def __init__(self, path: Path) -> None:
        self.path = path
        (path / "blobs/sha256").mkdir(parents=True, exist_ok=True)
        (path / "oci-layout").write_text('{"imageLayoutVersion": "1.0.0"}')

    def put(self, content: bytes, media_type: str, **more: Any) -> dict[str, Any]:
        self.blob_path(digest(content)).write_bytes(content)
        return {"mediaType": media_type, "digest": digest(content), "size": len(content), **more}

    def put_json(self, document: object, media_type: str, **more: Any) -> dict[str, Any]:
        return self.put(json.dumps(document).encode(), media_type, **more)

    def image(
        self,
        *layers: bytes,
        family: dict[str, str] = OCI,
        pack: str = "gzip",
        architecture: str = "amd64",
        config: dict[str, Any] | None = None,
        **descriptor: Any,
    ) -> dict[str, Any]:
        """An image of these layers; its descriptor, for an index."""
        kind = family["layer"] + {"gzip": family["gzip"], "zstd": "+zstd", "": ""}[pack]
        packed = [self.put(_packed(each, pack), kind) for each in layers]
        document = {
            "created": "2023-11-14T22:13:20.123456789Z",
            "os": "linux",
            "architecture": architecture,
            "rootfs": {"type": "layers", "diff_ids": [digest(each) for each in layers]},
            "history": [{"created_by": "test"} for _ in layers],
            **(config or {}),
        }
        described = self.put_json(document, family["config"])
        manifest = {"schemaVersion": 2, "mediaType": family["manifest"], "config": described, "layers": packed}
        return self.put_json(manifest, family["manifest"], **descriptor)

    def index(self, *manifests: dict[str, Any]) -> LayoutDirectory:
        document = {"schemaVersion": 2, "mediaType": INDEX, "manifests": list(manifests)}
        (self.path / "index.json").write_text(json.dumps(document))
        return self

    # -- looking at a result -----------------------------------------------------------------------------

    def blob_path(self, name: str) -> Path:
        return self.path / "blobs" / name.replace(":", "/")

    def blob(self, descriptor: dict[str, Any]) -> bytes:
        content = self.blob_path(descriptor["digest"]).read_bytes()
        assert (digest(content), len(content)) == (descriptor["digest"], descriptor["size"])
        return content

    def json(self, descriptor: dict[str, Any]) -> Any:
        return json.loads(self.blob(descriptor))

    @property
    def manifests(self) -> list[dict[str, Any]]:
        return json.loads((self.path / "index.json").read_text())["manifests"]

    def manifest(self, number: int = 0) -> Any:
        return self.json(self.manifests[number])

    def config(self, number: int = 0) -> Any:
        return self.json(self.manifest(number)["config"])

    def top_layer(self, number: int = 0) -> bytes:
        """The unpacked topmost layer, which has to be what the config says."""
        content = unpacked(self.blob(self.manifest(number)["layers"][-1]))
        assert digest(content) == self.config(number)["rootfs"]["diff_ids"][-1]
        return content


def _packed(content: bytes, pack: str) -> bytes:
    if pack == "gzip":
        return gzip.compress(content, mtime=0)
    return zstd().compress(content) if pack == "zstd" else content


def unpacked(content: bytes) -> bytes:
    if content.startswith(b"\x1f\x8b"):
        return gzip.decompress(content)
    return zstd().decompress(content) if content.startswith(b"\x28\xb5\x2f\xfd") else content


def zstd() -> Any:
    try:
        from compression import zstd as module
    except ImportError:
        from backports import zstd as module
    return module


def docker_archive(*images: dict[str, Any]) -> bytes:
    """What ``docker save`` writes before Docker 25: manifest.json, configs and layers. Each image: layers, tags."""
    tar, manifest = Tarball(), []
    for image in images:
        config = {
            "os": "linux",
            "architecture": "amd64",
            "config": image.get("config", {}),
            "rootfs": {"type": "layers", "diff_ids": [digest(each) for each in image["layers"]]},
            "history": [{} for _ in image["layers"]],
        }
        content = json.dumps(config).encode()
        name = f"{digest(content)[7:]}.json"
        tar.file(name, content)
        names = []
        for layer in image["layers"]:
            names.append(f"{digest(layer)[7:]}/layer.tar")
            tar.file(names[-1], layer)
        manifest.append({"Config": name, "RepoTags": image.get("tags", []), "Layers": names})
    return tar.file("manifest.json", json.dumps(manifest).encode()).end()
