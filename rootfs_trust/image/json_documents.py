"""The JSON documents of images: read with limits, and written so that equal content gives equal bytes.

Facts: the OCI image specification 1.1 (manifest.md, image-index.md, config.md, annotations.md) and Docker's "Image
Manifest Version 2, Schema 2". Registries take manifests of up to 4 MiB.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple, TypeAlias

from rootfs_trust.errors import MalformedError
from rootfs_trust.image.damage import broken
from rootfs_trust.image.streams import GZIP, PLAIN, ZSTD, Blob

TYPE_CHECKING = False
if TYPE_CHECKING:
    from rootfs_trust.image.model import Change

MAX_DOCUMENT = 8 * 1024 * 1024
"""Maximum size of a manifest, index or config in bytes."""

MAX_DOCUMENTS = 64 * 1024 * 1024
"""Maximum total size in bytes of these documents in one image file. A document counts each time that it is referenced.
"""

MAX_IMAGES = 1000
"""Maximum number of manifests and indexes in one layout, and of images in one archive."""

Json: TypeAlias = dict[str, Any]

INDEXES = (
    "application/vnd.oci.image.index.v1+json",
    "application/vnd.docker.distribution.manifest.list.v2+json",
)
DOCKER_MANIFEST = "application/vnd.docker.distribution.manifest.v2+json"
MANIFESTS = ("application/vnd.oci.image.manifest.v1+json", DOCKER_MANIFEST)
CONFIGS = ("application/vnd.oci.image.config.v1+json", "application/vnd.docker.container.image.v1+json")

_OCI_LAYER = "application/vnd.oci.image.layer.v1.tar+gzip"
_DOCKER_LAYER = "application/vnd.docker.image.rootfs.diff.tar.gzip"
_DIGEST = re.compile(r"sha256:[0-9a-f]{64}|sha512:[0-9a-f]{128}")


def digest_of(content: bytes) -> str:
    """Return ``sha256:HEX``."""
    return f"sha256:{hashlib.sha256(content, usedforsecurity=False).hexdigest()}"


def blob_path(digest: str) -> str:
    """Return the path of a blob in an OCI layout. Raises MalformedError if ``digest`` is not a digest."""
    if not _DIGEST.fullmatch(digest):
        raise MalformedError(f"has {digest!r} instead of a digest (sha256:...)")
    return f"blobs/{digest.replace(':', '/')}"


class Budget:
    """Limits the total size of documents, as a small file can reference a large one a thousand times."""

    def __init__(self, path: str) -> None:
        self._path = path
        self._left = MAX_DOCUMENTS

    def read(self, blob: Blob, path: str) -> bytes:
        """Return the document at ``path``. Raises InputError if it exceeds a limit."""
        content = blob.read(MAX_DOCUMENT)
        if content is None:
            raise broken(path, f"is larger than {MAX_DOCUMENT} bytes")
        self._left -= len(content)
        if self._left < 0:
            raise broken(self._path, f"has more than {MAX_DOCUMENTS} bytes of JSON documents")
        return content


def parse(content: bytes, path: str) -> Any:
    """Parse the JSON document ``content`` of the file ``path``. Raises InputError."""
    try:
        return json.loads(content)
    except (ValueError, RecursionError) as error:
        raise broken(path, f"is not a JSON document: {error}") from error


def parse_object(content: bytes, path: str) -> Json:
    """Parse the JSON object ``content``. Raises InputError."""
    return as_object(parse(content, path), path)


def dumped(document: object) -> bytes:
    """Encode a document without white space, with its keys in their order."""
    try:
        return json.dumps(document, separators=(",", ":"), allow_nan=False).encode()
    except ValueError as error:
        raise MalformedError(f"contains a number that JSON does not allow: {error}") from error


def as_object(value: object, path: str) -> Json:
    """Return ``value`` if it is a JSON object. Raises InputError otherwise."""
    if not isinstance(value, dict):
        raise broken(path, f"has {_short(value)} instead of an object")
    return value


def as_texts(value: object, path: str) -> list[str]:
    """Return ``value`` if it is a list of strings; null counts as empty. Raises InputError otherwise."""
    if value is None:
        return []
    if not (isinstance(value, list) and all(isinstance(each, str) for each in value)):
        raise broken(path, f"has {_short(value)} instead of a list of strings")
    return value


def as_objects(value: object, path: str) -> list[Json]:
    """Return ``value`` if it is a list of JSON objects; null counts as empty. Raises InputError otherwise."""
    if value is None:
        return []
    if not isinstance(value, list):
        raise broken(path, f"has {_short(value)} instead of a list")
    return [as_object(each, path) for each in value]


def _short(value: object) -> str:
    return repr(value)[:60]


# -- media types -----------------------------------------------------------------------------------------


def layer_type(manifest: Json) -> tuple[str, str]:
    """Return media type and compression for a layer that is added to this manifest: the same as its topmost layer."""
    docker = manifest.get("mediaType") == DOCKER_MANIFEST
    types = [str(each.get("mediaType", "")) for each in manifest["layers"]]
    last = types[-1] if types else (_DOCKER_LAYER if docker else _OCI_LAYER)
    kind = last.replace(".nondistributable", "").replace(".foreign", "")
    if kind.endswith(("+gzip", ".gzip")):
        return kind, GZIP
    if kind.endswith(("+zstd", ".zstd")):
        return kind, ZSTD
    if kind.endswith(".tar"):
        return kind, PLAIN
    raise MalformedError(f"has a layer of the type {last}, which is not a tar archive")


# -- config ----------------------------------------------------------------------------------------------


def environment_of(config: Json) -> dict[str, str]:
    """Return the variables that a config sets. Raises InputError."""
    return dict(text.partition("=")[::2] for text in as_texts(_settings(config).get("Env"), "config"))


class Environment(NamedTuple):
    """The variables to set in a config, and the names of wanted variables that the config sets to other values."""

    set: dict[str, str]
    kept: tuple[str, ...]


def new_environment(config: Json, wanted: Mapping[str, str]) -> Environment:
    """Return which of ``wanted`` to set. Variables of the image's author stay; Java options are merged."""
    there = environment_of(config)
    set_ = {name: value for name, value in wanted.items() if name not in there}
    kept = [name for name, value in wanted.items() if name in there and value not in there[name].split(" ")]
    java = "JAVA_TOOL_OPTIONS"
    if java in kept and "javax.net.ssl.trustStore=" not in there[java]:
        kept.remove(java)
        set_[java] = f"{there[java]} {wanted[java]}".strip()
    return Environment(set_, tuple(kept))


def _settings(config: Json) -> Json:
    return as_object(config.get("config") or {}, "config")


def new_config(config: Json, diff_id: str | None, change: Change) -> Json:
    """Return ``config`` with one more layer (``diff_id``; None: no layer) and these variables."""
    new = dict(config)
    if change.environment or change.unset:
        old = as_texts(_settings(config).get("Env"), "config")
        new["config"] = {**_settings(config), "Env": _set(old, change)}
    if change.created is not None:
        new["created"] = change.created
    if diff_id is not None:
        old = diff_ids(config)
        new["rootfs"] = {**config["rootfs"], "diff_ids": [*old, diff_id]}
    if "history" in config or not diff_ids(config):
        new["history"] = _history(config, new, empty=diff_id is None)
    return new


def _set(old: Sequence[str], change: Change) -> list[str]:
    gone = {*change.environment, *change.unset}
    others = [text for text in old if text.partition("=")[0] not in gone]
    return [*others, *(f"{name}={value}" for name, value in change.environment.items())]


def _history(config: Json, new: Json, *, empty: bool) -> list[Json]:
    """Return the history with one more entry, unless it is incomplete and so cannot be matched with layers."""
    old = as_objects(config.get("history"), "config")
    if sum(not each.get("empty_layer") for each in old) != len(diff_ids(config)):
        return old
    entry = {"created": new.get("created"), "created_by": "rootfs-trust image", "empty_layer": True}
    return [*old, {key: value for key, value in entry.items() if value and (empty or key != "empty_layer")}]


def diff_ids(config: Json) -> list[str]:
    """Return the digests of the uncompressed layers, the lowest first."""
    rootfs = as_object(config.get("rootfs"), "config")
    return as_texts(rootfs.get("diff_ids"), "config")


# -- names and times -------------------------------------------------------------------------------------


def platform_of(config: Json) -> str:
    """Return the platform, such as ``linux/arm64/v8``."""
    return "/".join(str(config[key]) for key in ("os", "architecture", "variant") if config.get(key))


def seconds(created: object) -> int:
    """Return an RFC 3339 time in seconds since 1970; 0 if there is none or it is earlier."""
    try:
        time = datetime.fromisoformat(re.sub(r"\.\d+", "", str(created)))
        return max(0, int(time.timestamp()))
    except (ValueError, OverflowError):
        return 0
