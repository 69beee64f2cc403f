"""List the anchors named in rootfs-trust.toml, for read-only commands."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from rootfs_trust.errors import InputError, Problem, refuse
from rootfs_trust.inputs.certificates import certificates
from rootfs_trust.inputs.config import AnchorTable, Config
from rootfs_trust.inputs.constraints import fenced
from rootfs_trust.inputs.files import read_inputs
from rootfs_trust.store.anchor import Anchor


def configured_anchors(config: Config, at: datetime) -> dict[str, AnchorTable]:
    """Return the ``[[anchor]]`` table of each certificate by SHA-256. Raises InputError for an unreadable file.

    For a table with ``permitted`` or ``excluded``, the key is the SHA-256 of the constrained copy that ``install``
    creates.
    """
    found: dict[str, AnchorTable] = {}
    problems: list[Problem] = []
    for table in config.anchors:
        for each in _anchors_of(table, at):
            if isinstance(each, Problem):
                problems.append(each)
            else:
                found[each.certificate.sha256] = table
    refuse(InputError, problems)
    return found


def _anchors_of(table: AnchorTable, at: datetime) -> Iterator[Anchor | Problem]:
    reading = read_inputs([table.file])
    yield from reading.problems
    for file in reading.files:
        read = certificates(file.path, file.data, at) if file.wanted else None
        yield from read.problems if read else ()
        for each in read.found if read else ():
            yield fenced(Anchor("", each.certificate, each.path), table.fence, table.key)


def own_digests(config: Config, at: datetime) -> frozenset[str]:
    """Return the SHA-256 of every anchor of the ``[[anchor]]`` tables. Raises InputError for an unreadable file."""
    return frozenset(configured_anchors(config, at))
