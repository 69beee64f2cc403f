"""Throws mutated input at what reads texts and documents: certdata.txt, tedge.toml, the config, image manifests.

As fuzz_parse.py, whose page says how it is set up, with the name of a target first:

PYTHONPATH=. /tmp/fuzz/bin/python tests/fuzz/fuzz_texts.py certdata|tedge|config|manifest -max_total_time=600 CORPUS

A target may raise its own error for bad input and no other. An edit of tedge.toml has to be valid TOML that says what
was asked for, and a second edit must change nothing. Beside the bytes as they are, each target gets a valid document
that they change (shapes.py).
"""

from __future__ import annotations

import json
import sys
from datetime import UTC, datetime
from typing import Any

import atheris

# What functions import on their first call is named here, too: else it would not be instrumented.
sys.modules.pop("tomllib", None)
with atheris.instrument_imports(include=["rootfs_trust", "tomllib"]):
    import tomllib

    import rootfs_trust.bounded_toml  # noqa: F401
    from rootfs_trust.errors import InputError, MalformedError
    from rootfs_trust.fleet.targets import parse_targets
    from rootfs_trust.image import json_documents, oci
    from rootfs_trust.image.model import Change, NewLayer
    from rootfs_trust.image.streams import Blob, in_memory
    from rootfs_trust.inputs import certdata as mozilla
    from rootfs_trust.inputs.config_reader import parse_config
    from rootfs_trust.toml_editor import edit

from tests.fuzz import shapes  # noqa: E402
from tests.unit.x509.building import certificate, name, utf8  # noqa: E402

AT = datetime(2025, 1, 1, tzinfo=UTC)
SETTINGS = {"config.version": "2", "c8y.root_cert_path": "/etc/ssl/certs"}
RENAMES = {"http.port": "http.bind.port"}

CONFIG = {
    "store": {"layout": "auto", "base": "none", "distrust": ["a" * 64], "roots": "r.pem"},
    "policy": {"min_rsa_bits": 2048, "min_days_left": 1, "require_ca": True, "strict": False, "forbid": ["b" * 64]},
    "anchor": [
        {"file": "a.pem", "name": "a", "sha256": "c" * 64, "replace": True, "allow": ["expired"]},
        {"file": "b.pem", "purposes": ["server-auth", "email"]},
    ],
    "cloud": [{"kind": "c8y", "profile": "p", "root_cert_path": "/etc/ssl/certs", "at_run_time": False}],
    "render": [{"template": "t.j2", "dest": "/etc/t", "mode": "0644", "values": {"a": {"b": [1]}}, "replace": True}],
}
TARGET = {"target": [{"root": "a", "config": "b.toml"}, {"image": "a", "dest": "b", "config": "c"}, {"root": "c"}]}
TEDGE = {
    "config": {"version": "1"},
    "c8y": {"url": "a.b", "root_cert_path": "/a", "profiles": {"x": {"root_cert_path": "/b"}}},
    "http": {"port": 8000, "client": {"host": "h"}},
    "a": [{"b": 1}, {"b": 2}],
}
OCTETS = "".join(f"\\{octet:03o}" for octet in certificate(name(utf8("Alpha")))).encode()
NAMED = (
    *(b"CKA_ISSUER MULTILINE_OCTAL", b"\\060\\000", b"END"),
    *(b"CKA_SERIAL_NUMBER MULTILINE_OCTAL", b"\\002\\001\\001", b"END"),
)
VALID = (
    b"BEGINDATA",
    *(b"CKA_CLASS CK_OBJECT_CLASS CKO_CERTIFICATE", *NAMED, b"CKA_VALUE MULTILINE_OCTAL", OCTETS, b"END"),
    *(b"CKA_CLASS CK_OBJECT_CLASS CKO_NSS_TRUST", *NAMED, b"CKA_TRUST_SERVER_AUTH CK_TRUST CKT_NSS_TRUSTED_DELEGATOR"),
)
LINES = (
    b"BEGINDATA",
    b"CKA_CLASS CK_OBJECT_CLASS CKO_CERTIFICATE",
    b"CKA_CLASS CK_OBJECT_CLASS CKO_NSS_TRUST",
    b"CKA_TOKEN CK_BBOOL CK_TRUE",
    b'CKA_LABEL UTF8 "a \\x41\\""',
    b"CKA_ISSUER MULTILINE_OCTAL",
    b"CKA_SERIAL_NUMBER MULTILINE_OCTAL",
    b"CKA_VALUE MULTILINE_OCTAL",
    b"CKA_CERT_SHA1_HASH MULTILINE_OCTAL",
    b"\\060\\000",
    b"\\002\\001\\001",
    b"END",
    b"CKA_NSS_SERVER_DISTRUST_AFTER MULTILINE_OCTAL",
    b"CKA_NSS_EMAIL_DISTRUST_AFTER CK_BBOOL CK_FALSE",
    b"\\062\\060\\060\\061\\060\\061\\060\\060\\060\\060\\060\\060\\132",
    b"CKA_TRUST_SERVER_AUTH CK_TRUST CKT_NSS_TRUSTED_DELEGATOR",
    b"CKA_TRUST_EMAIL_PROTECTION CK_TRUST CKT_NSS_NOT_TRUSTED",
    b"# a comment",
    b"",
)


def certdata(data: bytes) -> None:
    for each in (data, _certdata(atheris.FuzzedDataProvider(data))):
        if mozilla.looks_like_certdata(each):
            try:
                mozilla.anchors("certdata.txt", mozilla.certificates_of_certdata(each), AT)
            except MalformedError:
                continue


def _certdata(data: atheris.FuzzedDataProvider) -> bytes:
    """Lines of such a file in any order, some of them odd, after its certificate."""
    lines = list(VALID)
    while data.remaining_bytes():
        line = LINES[data.ConsumeIntInRange(0, len(LINES) - 1)]
        if data.ConsumeIntInRange(0, 15) == 0:
            line = data.ConsumeBytes(20)
        lines.insert(data.ConsumeIntInRange(0, len(lines)), line)
        if data.ConsumeIntInRange(0, 3) == 0:
            del lines[data.ConsumeIntInRange(0, len(lines) - 1)]
    return b"\n".join(lines)


def tedge(data: bytes) -> None:
    for text in _texts(data, TEDGE):
        try:
            had = edit.parse(text, "tedge.toml").get("http")
            renames = RENAMES if isinstance(had, dict) and "port" in had and "bind" not in had else {}
            edited = edit.edited(text, "tedge.toml", renames, "nothing", SETTINGS)
        except InputError:
            continue
        document = tomllib.loads(edited)
        if document["config"]["version"] != "2" or document["c8y"]["root_cert_path"] != "/etc/ssl/certs":
            raise AssertionError("the edit does not say what was asked for")
        if edit.edited(edited, "tedge.toml", {}, "nothing", SETTINGS) != edited:
            raise AssertionError("a second edit changes something")


def config(data: bytes) -> None:
    for parse, document in ((parse_config, CONFIG), (parse_targets, TARGET)):
        for text in _texts(data, document):
            try:
                parse(text, "rootfs-trust.toml")
            except InputError:
                continue


def _texts(data: bytes, document: dict[str, Any]) -> list[str]:
    """The bytes as a text, where they are one, and the document as they change it."""
    grown = shapes.toml(shapes.changed(atheris.FuzzedDataProvider(data), document))
    try:
        return [data.decode(), grown]
    except UnicodeDecodeError:
        return [grown]


LAYER = {"digest": json_documents.digest_of(b""), "size": 0}
IMAGE = {
    "config": {
        "architecture": "arm64",
        "os": "linux",
        "variant": "v8",
        "created": "2025-01-01T00:00:00Z",
        "config": {"Env": ["A=b", "JAVA_TOOL_OPTIONS=-Xmx1g"]},
        "rootfs": {"type": "layers", "diff_ids": ["sha256:" + "0" * 64]},
        "history": [{"created": "2025-01-01T00:00:00Z", "created_by": "a"}, {"empty_layer": True}],
    },
    "manifest": {
        "schemaVersion": 2,
        "mediaType": json_documents.MANIFESTS[0],
        "layers": [{"mediaType": "application/vnd.oci.image.layer.v1.tar+gzip", **LAYER}],
        "annotations": {"a": "b"},
    },
    "of_config": {},
    "of_manifest": {"platform": {"os": "linux", "architecture": "arm64"}, "annotations": {"a.ref.name": "b"}},
    "index": {"schemaVersion": 2, "annotations": {}},
    "more": [{"mediaType": "application/vnd.example", **LAYER}],
}


class Layout:
    """An OCI layout in memory: implements image.model.Files. Its documents lead to each other by true digests."""

    path = "layout"

    def __init__(self, document: json_documents.Json) -> None:
        self._contents = {LAYER["digest"]: b"", "oci-layout": b"{}"}
        config = self._put(document.get("config"), json_documents.CONFIGS[0], document.get("of_config"))
        manifest = document.get("manifest")
        if isinstance(manifest, dict):
            manifest = {"config": config, **manifest}
        first = self._put(manifest, json_documents.MANIFESTS[0], document.get("of_manifest"))
        index = document.get("index")
        more = document.get("more")
        if isinstance(index, dict):
            index = {"manifests": [first, *(more if isinstance(more, list) else [])], **index}
        self._contents["index.json"] = json.dumps(index).encode()

    def _put(self, document: object, kind: str, described: object) -> json_documents.Json:
        content = json.dumps(document).encode()
        digest = json_documents.digest_of(content)
        self._contents[digest] = content
        about = {"mediaType": kind, "digest": digest, "size": len(content)}
        return {**about, **described} if isinstance(described, dict) else about

    def blob(self, name: str) -> Blob | None:
        content = self._contents.get(name.removeprefix("blobs/").replace("/", ":"))
        return None if content is None else in_memory(content)


def manifest(data: bytes) -> None:
    """The layout is read, and written again with a layer and a variable more; what is written is read again."""
    provider = atheris.FuzzedDataProvider(data)
    change = Change(
        NewLayer(b"a") if provider.ConsumeBool() else None, {"A": "c"} if provider.ConsumeBool() else {}, None
    )
    layout = Layout(shapes.changed(provider, IMAGE))
    try:
        list(oci.OciLayout(layout).images())
        renewal = oci.UpdatedLayout(layout, lambda _: change)
        parts = renewal.run().parts
    except InputError:
        return
    for blob in parts.values():
        try:
            b"".join(blob.start(0))
        except MalformedError:
            continue
    json_documents.parse(parts["index.json"].read(json_documents.MAX_DOCUMENT), "index.json")


TARGETS = {each.__name__: each for each in (certdata, tedge, config, manifest)}

if __name__ == "__main__":
    target = TARGETS[sys.argv.pop(1)]
    atheris.Setup(sys.argv, target)
    atheris.Fuzz()
