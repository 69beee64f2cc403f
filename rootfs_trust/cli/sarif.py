"""Findings as SARIF 2.1.0 (OASIS: Static Analysis Results Interchange Format), which code hosts show by a change."""

from __future__ import annotations

from collections.abc import Iterable

from rootfs_trust import __version__
from rootfs_trust.audit.check import KINDS
from rootfs_trust.audit.findings import Finding, Kind
from rootfs_trust.cli.output import printable
from rootfs_trust.rootfs.nodes import as_bytes

_SCHEMA = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
_ROOT = "ROOTFS"
_PLAIN = frozenset(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~/")
"""What stands for itself in a URI's path (RFC 3986, 2.3)."""


def document(findings: Iterable[Finding]) -> dict[str, object]:
    """A log of one run, with every kind of findings as a rule. Paths are relative to the root folder of the image."""
    indices = {id_: index for index, id_ in enumerate(KINDS)}
    driver = {"name": "rootfs-trust", "version": __version__, "rules": list(map(_rule, KINDS.values()))}
    run = {
        "tool": {"driver": driver},
        "columnKind": "utf16CodeUnits",
        "originalUriBaseIds": {_ROOT: {"description": {"text": "The root folder of the image"}}},
        "results": [_result(finding, indices[finding.id]) for finding in findings],
    }
    return {"$schema": _SCHEMA, "version": "2.1.0", "runs": [run]}


def _rule(kind: Kind) -> dict[str, object]:
    return {
        "id": kind.id,
        "shortDescription": {"text": f"{kind.title}."},
        "fullDescription": {"text": kind.why},
        "help": {"text": f"{kind.why}\n\nMend: {kind.mend}."},
        "defaultConfiguration": {"level": kind.levels[0]},
    }


def _result(finding: Finding, index: int) -> dict[str, object]:
    place: dict[str, object] = {"artifactLocation": {"uri": _relative(finding.path), "uriBaseId": _ROOT}}
    if finding.line:
        place["region"] = {"startLine": finding.line}
    return {
        "ruleId": finding.id,
        "ruleIndex": index,
        "level": finding.level,
        "message": {"text": printable(f"{finding.path}: {finding.message} (mend: {finding.mend})")},
        "locations": [{"physicalLocation": place}],
    }


def _relative(path: str) -> str:
    """A device path as a relative URI; the root itself is the current folder."""
    octets = as_bytes(path.lstrip("/"))
    return "".join(chr(octet) if octet in _PLAIN else f"%{octet:02X}" for octet in octets) or "."
