"""Throws mutated input at what reads texts and documents: certdata.txt, tedge.toml, the config, image manifests.

As fuzz_parse.py, whose page says how it is set up, with the name of a target first:

PYTHONPATH=. /tmp/fuzz/bin/python tests/fuzz/fuzz_texts.py certdata|tedge|config|manifest -max_total_time=600 CORPUS

A target may raise its own error for bad input and no other. An edit of tedge.toml has to be valid TOML that says what
was asked for, and a second edit must change nothing.
"""

from __future__ import annotations

import json
import sys
import tomllib
from datetime import UTC, datetime

import atheris

with atheris.instrument_imports(include=["rootfs_trust", "tomllib"]):
    from rootfs_trust.agents import toml_edit
    from rootfs_trust.errors import InputError, MalformedError
    from rootfs_trust.image import documents, oci
    from rootfs_trust.image.streams import Blob, in_memory
    from rootfs_trust.inputs import certdata as mozilla
    from rootfs_trust.inputs.config import parse_config

AT = datetime(2025, 1, 1, tzinfo=UTC)
SETTINGS = {"config.version": "2", "c8y.root_cert_path": "/etc/ssl/certs"}
RENAMES = {"http.port": "http.bind.port"}


def certdata(data: bytes) -> None:
    text = b"BEGINDATA\nCKA_CLASS CK_OBJECT_CLASS " + data
    for each in (data, text):
        if mozilla.looks_like_certdata(each):
            try:
                mozilla.anchors("certdata.txt", mozilla.certificates_of_certdata(each), AT)
            except MalformedError:
                continue


def tedge(data: bytes) -> None:
    try:
        text = data.decode()
        had = toml_edit.parse(text, "tedge.toml").get("http")
        renames = RENAMES if isinstance(had, dict) and "port" in had and "bind" not in had else {}
        edited = toml_edit.edited(text, "tedge.toml", renames, "nothing", SETTINGS)
    except (UnicodeDecodeError, InputError):
        return
    document = tomllib.loads(edited)
    if document["config"]["version"] != "2" or document["c8y"]["root_cert_path"] != "/etc/ssl/certs":
        raise AssertionError("the edit does not say what was asked for")
    if toml_edit.edited(edited, "tedge.toml", {}, "nothing", SETTINGS) != edited:
        raise AssertionError("a second edit changes something")


def config(data: bytes) -> None:
    try:
        parse_config(data.decode(), "rootfs-trust.toml")
    except (UnicodeDecodeError, InputError):
        return


class Layout:
    """An OCI layout in memory: implements image.model.Files."""

    path = "layout"

    def __init__(self, document: documents.Json) -> None:
        self._contents: dict[str, bytes] = {}
        config = {**self._put(document.get("config"), document.get("of_config"))}
        config["mediaType"] = documents.CONFIGS[0]
        of_manifest = document.get("manifest")
        if isinstance(of_manifest, dict):
            of_manifest = {"config": config, **of_manifest}
        self._index = {"manifests": [self._put(of_manifest, document.get("of_manifest"))]}

    def _put(self, document: object, described: object) -> documents.Json:
        content = json.dumps(document).encode()
        self._contents[documents.digest_of(content)] = content
        about = {"mediaType": documents.MANIFESTS[0], "digest": documents.digest_of(content), "size": len(content)}
        return {**about, **described} if isinstance(described, dict) else about

    def blob(self, name: str) -> Blob | None:
        if name == "index.json":
            return in_memory(json.dumps(self._index).encode())
        content = self._contents.get(name.removeprefix("blobs/").replace("/", ":"))
        return None if content is None else in_memory(content)


def manifest(data: bytes) -> None:
    """``{"config", "manifest"}`` are the documents; fields of ``of_config``, ``of_manifest`` go into descriptors."""
    try:
        document = documents.as_object(documents.parse(data, "m"), "m")
        for image in oci.Layout(Layout(document)).images():
            documents.new_config(image.config, "sha256:" + "0" * 64, {"A": "b"}, None)
    except (InputError, MalformedError):
        return


TARGETS = {each.__name__: each for each in (certdata, tedge, config, manifest)}

if __name__ == "__main__":
    target = TARGETS[sys.argv.pop(1)]
    atheris.Setup(sys.argv, target)
    atheris.Fuzz()
