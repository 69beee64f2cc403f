"""Provenance of an ``install``: an in-toto Statement with SLSA's predicate. It is not signed.

Sources: in-toto Attestation Framework, Statement v1 and ResourceDescriptor v1; SLSA 1.0, Provenance.
"""

from __future__ import annotations

import base64
import json
import os
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from hashlib import sha256
from typing import Any

from rootfs_trust import __version__
from rootfs_trust.api.options import NO_OPTIONS
from rootfs_trust.api.planning import Decision, Job
from rootfs_trust.audit.sbom.inventory import TOOL, plain
from rootfs_trust.inputs.config import AnchorTable, CloudTable, Config, RenderTable, StoreTable
from rootfs_trust.inputs.selection_text import FILE
from rootfs_trust.rootfs.view import File, Symlink, as_text
from rootfs_trust.store.selection import Selection
from rootfs_trust.thin_edge.trust_settings import DIRECTORY
from rootfs_trust.times import from_seconds, rfc3339
from rootfs_trust.x509.constrained import shown_names

STATEMENT_TYPE = "https://in-toto.io/Statement/v1"
PREDICATE_TYPE = "https://slsa.dev/provenance/v1"
BUILDER = f"pkg:generic/{TOOL}"
BUILD_TYPE = f"{BUILDER}#install/v1"
"""The build type of the statement. docs/provenance.md documents its parameters."""

LINKS = "symbolic links"
"""The name of the subject that stands for all links."""

_HOST_PATHS = ("certs",)
_NO_PARAMETERS = ("config", "dry_run")
"""Options that the statement does not list: the statement has the content of the configuration instead, and a dry run
has no statement.
"""


def statement(job: Job, decision: Decision, read: Mapping[str, str]) -> str:
    """Return the statement about the tree of ``decision`` as JSON. ``read`` has the SHA-256 of every file that was read
    in the tree.

    The same job on the same tree gives the same text on every host, because the text contains no host path. A statement
    needs a subject, and always has one: every layout has a bundle or a keystore.
    """
    files = _files(decision, read)
    subjects = [*(_descriptor(_on_device(path), files[path]) for path in sorted(files)), *_links(decision)]
    predicate = {"buildDefinition": _definition(job, decision, read), "runDetails": _run(job)}
    document = {"_type": STATEMENT_TYPE, "subject": subjects, "predicateType": PREDICATE_TYPE, "predicate": predicate}
    return json.dumps(document, indent=2) + "\n"


# -- subjects: the result ---------------------------------------------------------------------------------


def _files(decision: Decision, read: Mapping[str, str]) -> dict[str, str]:
    """Return the desired files, and the unchanged files that were read in the same directories."""
    folders = (f"{decision.layout.local}/", f"{DIRECTORY}/")
    left = {path: digest for path, digest in read.items() if path.startswith(folders) and path not in decision.desired}
    wanted = {path: node.content for path, node in decision.desired.items() if isinstance(node, File)}
    return left | {path: _digest(content) for path, content in wanted.items()}


def _links(decision: Decision) -> Iterator[dict[str, Any]]:
    """Return one subject for all links. There is no standard digest of a link, so its digest is computed from their
    targets.
    """
    links = {path: node.points_to for path, node in decision.desired.items() if isinstance(node, Symlink)}
    if links:
        listing = "".join(f"{_on_device(path)} -> {plain(links[path])}\n" for path in sorted(links)).encode()
        content = base64.b64encode(listing).decode()
        yield {**_descriptor(LINKS, _digest(listing)), "content": content, "mediaType": "text/plain"}


# -- materials: the inputs --------------------------------------------------------------------------------


def _definition(job: Job, decision: Decision, read: Mapping[str, str]) -> dict[str, Any]:
    files = _files(decision, read)
    before = {path: digest for path, digest in read.items() if files.get(path) != digest}
    return {
        "buildType": BUILD_TYPE,
        "externalParameters": {"options": _options(job), "config": _config(job.config)},
        "internalParameters": {"layout": decision.layout.name},
        "resolvedDependencies": [*_used_files(job), *_read(before)],
    }


def _options(job: Job) -> dict[str, Any]:
    """Return the options that differ from their defaults."""
    given = job.options._asdict()
    return {
        name: _value(value, on_host=name in _HOST_PATHS)
        for name, value in given.items()
        if value != getattr(NO_OPTIONS, name) and name not in _NO_PARAMETERS
    }


def _value(value: object, *, on_host: bool) -> object:
    if isinstance(value, datetime):
        return _time(int(value.timestamp()))
    if isinstance(value, str):
        return _host_name(value) if on_host else _argument(value)
    return [_value(each, on_host=on_host) for each in value] if isinstance(value, list | tuple) else value


def _config(config: Config) -> dict[str, Any]:
    """Return the configuration with defaults. Template values are listed only as the digest of their file."""
    lists = {name: _texts(getattr(config.policy, name)) for name in ("forbid", "allow_only")}
    policy = {**config.policy._asdict(), **lists}
    return {
        "store": _store(config.store),
        "policy": policy,
        "anchor": [_anchor(each) for each in config.anchors],
        "cloud": [_cloud(each) for each in config.clouds],
        "render": [_render(each) for each in config.renders],
        "runtimes": {"use": list(config.runtimes.use)},
    }


def _store(table: StoreTable) -> dict[str, Any]:
    roots = None if table.roots is None else _host_name(table.roots)
    return _with_values(
        {
            "layout": table.layout,
            "base": table.base,
            "distrust": _texts(table.distrust),
            "program": table.program,
            "roots": roots,
        }
    )


def _texts(chosen: Iterable[Selection]) -> list[str]:
    """Return the selected certificates as text. Files of the host are listed by name only."""
    return [_selection_text(each.text) for each in chosen]


def _selection_text(text: str) -> str:
    return f"{FILE}{_host_name(text.removeprefix(FILE))}" if text.startswith(FILE) else text


def _anchor(table: AnchorTable) -> dict[str, Any]:
    purposes = None if table.purposes is None else sorted(table.purposes)
    told = {"file": _host_name(table.path), "name": table.name, "sha256": table.sha256, "replace": table.replace}
    fence = {name: shown_names(getattr(table.fence, name)) or None for name in ("permitted", "excluded")}
    return _with_values({**told, "allow": sorted(table.allow), "purposes": purposes, **fence})


def _cloud(table: CloudTable) -> dict[str, Any]:
    told = {"kind": table.kind, "profile": table.profile, "root_cert_path": table.root_cert_path}
    return _with_values({**told, "at_run_time": table.at_run_time})


def _render(table: RenderTable) -> dict[str, Any]:
    told = {"template": _host_name(table.template), "dest": table.dest, "mode": f"{table.mode:04o}"}
    return _with_values({**told, "replace": table.replace})


def _with_values(values: dict[str, Any]) -> dict[str, Any]:
    """Return the keys that have a value. Bytes that are not UTF-8 are escaped, because JSON cannot represent them."""
    given = {name: value for name, value in values.items() if value is not None}
    return {name: plain(value) if isinstance(value, str) else value for name, value in given.items()}


def _used_files(job: Job) -> list[dict[str, Any]]:
    """Return the files of the host, each once, under their base names."""
    found = [_descriptor(_host_name(each.path), each.sha256, each.kind) for each in job.used]
    return list({json.dumps(each): each for each in found}.values())


def _read(before: Mapping[str, str]) -> Iterator[dict[str, Any]]:
    """Return the files that were read in the tree, as they were before the run."""
    for path in sorted(before):
        yield _descriptor(_on_device(path), before[path], "rootfs")


# -- the run ----------------------------------------------------------------------------------------------


def _run(job: Job) -> dict[str, Any]:
    builder = {"id": BUILDER, "version": {TOOL: __version__}}
    time = job.options.timestamp
    if time is None:
        return {"builder": builder}
    return {"builder": builder, "metadata": {"startedOn": _time(time), "finishedOn": _time(time)}}


def _time(seconds: int) -> str:
    return rfc3339(from_seconds(seconds))


# -- names and digests ------------------------------------------------------------------------------------


def _descriptor(name: str, digest: str, kind: str = "") -> dict[str, Any]:
    described = {"name": name, "digest": {"sha256": digest}}
    return {**described, "annotations": {"kind": kind}} if kind else described


def _digest(content: bytes) -> str:
    return sha256(content, usedforsecurity=False).hexdigest()


def _on_device(path: str) -> str:
    return plain(path.lstrip("/"))


def _host_name(path: str) -> str:
    """Return the last part of a host path, or ``-`` for standard input."""
    return _argument(os.path.basename(os.path.normpath(path)))


def _argument(text: str) -> str:
    """Decode a command-line argument independently of the host's locale."""
    return plain(as_text(os.fsencode(text)))
