"""Findings as SARIF 2.1.0 (OASIS: Static Analysis Results Interchange Format), which code hosts display."""

from __future__ import annotations

from collections.abc import Iterable

from rootfs_trust import __version__
from rootfs_trust.audit.check import KINDS
from rootfs_trust.audit.findings import Finding, FindingType
from rootfs_trust.rootfs.view import as_bytes
from rootfs_trust.text import printable

_SCHEMA = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
_ROOT = "ROOTFS"
_PLAIN = frozenset(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~/")
"""Characters that need no escaping in a URI path (RFC 3986, 2.3)."""


def document(findings: Iterable[Finding]) -> dict[str, object]:
    """Return a SARIF log of one run, with a rule per kind of finding. Paths are relative to the image's root."""
    indices = {id_: index for index, id_ in enumerate(KINDS)}
    driver = {"name": "rootfs-trust", "version": __version__, "rules": list(map(_rule, KINDS.values()))}
    run = {
        "tool": {"driver": driver},
        "columnKind": "utf16CodeUnits",
        "originalUriBaseIds": {_ROOT: {"description": {"text": "The root directory of the image"}}},
        "results": [_result(finding, indices[finding.id]) for finding in findings],
    }
    return {"$schema": _SCHEMA, "version": "2.1.0", "runs": [run]}


def _rule(kind: FindingType) -> dict[str, object]:
    return {
        "id": kind.id,
        "shortDescription": {"text": f"{kind.title}."},
        "fullDescription": {"text": kind.why},
        "help": {"text": f"{kind.why}\n\nFix: {kind.fix}."},
        "defaultConfiguration": {"level": kind.levels[0]},
    }


def _result(finding: Finding, index: int) -> dict[str, object]:
    return {
        "ruleId": finding.id,
        "ruleIndex": index,
        "level": finding.level,
        "message": {"text": printable(f"{finding.path}: {finding.message} (fix: {finding.fix})")},
        "locations": [{"physicalLocation": _location(finding)}],
        **_expectation(finding),
    }


def _location(finding: Finding) -> dict[str, object]:
    """Return the location in the image; for findings about a ``[[server]]`` table, in the config."""
    if finding.expectation is not None and finding.path == finding.expectation.where:
        return _in_config(finding.path)
    place: dict[str, object] = {"artifactLocation": {"uri": _relative(finding.path), "uriBaseId": _ROOT}}
    if finding.line:
        place["region"] = {"startLine": finding.line}
    return place


def _expectation(finding: Finding) -> dict[str, object]:
    """Return the names of the ``[[server]]`` table that a finding is about, and its line in the config, which code
    hosts show.
    """
    about = finding.expectation
    if about is None:
        return {}
    table = {"physicalLocation": _in_config(about.where), "message": {"text": "the expectation in the configuration"}}
    return {"relatedLocations": [table], "properties": {"server": about.server, "client": about.client}}


def _in_config(where: str) -> dict[str, object]:
    path, _, line = where.rpartition(":")
    uri = _encoded(path)
    return {"artifactLocation": {"uri": uri}, "region": {"startLine": int(line)}}


def _relative(path: str) -> str:
    """Return a device path as a relative URI; ``/`` becomes the current directory."""
    return _encoded(path.lstrip("/")) or "."


def _encoded(path: str) -> str:
    return "".join(chr(octet) if octet in _PLAIN else f"%{octet:02X}" for octet in as_bytes(path))
