"""List the anchors named in rootfs-trust.toml, for read-only commands."""

from __future__ import annotations

from datetime import datetime

from rootfs_trust.errors import InputError, Problem
from rootfs_trust.inputs.certificates import certificates
from rootfs_trust.inputs.config import AnchorTable, Config
from rootfs_trust.inputs.files import read_inputs


def configured_anchors(config: Config, at: datetime) -> dict[str, AnchorTable]:
    """Return the ``[[anchor]]`` table of each certificate by SHA-256. Raises InputError for an unreadable file."""
    found: dict[str, AnchorTable] = {}
    problems: list[Problem] = []
    for anchor in config.anchors:
        reading = read_inputs([anchor.file])
        readings = [certificates(file.path, file.data, at) for file in reading.files if file.wanted]
        problems += [*reading.problems, *(problem for each in readings for problem in each.problems)]
        found |= {each.certificate.sha256: anchor for one in readings for each in one.found}
    if problems:
        raise InputError(*problems)
    return found


def own_digests(config: Config, at: datetime) -> frozenset[str]:
    """Return the SHA-256 of every certificate in ``[[anchor]]`` files. Raises InputError for an unreadable file."""
    return frozenset(configured_anchors(config, at))
