"""Resolve arguments that select certificates: digests, keys, files, incidents and names of the root data.

:mod:`rootfs_trust.store.selection` applies them.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from datetime import datetime

from rootfs_trust.errors import UNKNOWN_SELECTION, Problem
from rootfs_trust.inputs.certificates import certificates
from rootfs_trust.inputs.files import read_inputs
from rootfs_trust.inputs.root_data import LONGEST_VALIDITY, Incident, ProgramRoot, RootData
from rootfs_trust.inputs.selection_text import FILE
from rootfs_trust.store.anchor import safe_name
from rootfs_trust.store.selection import RootProgram, Selection
from rootfs_trust.text import did_you_mean
from rootfs_trust.times import EARLIEST

PROGRAMS = ("mozilla",)


class Resolver:
    """Resolves selections. Relative ``file:`` paths are relative to ``folder``; ``data`` is called only if needed.

    ``problems`` has a problem for each selection that could not be resolved.
    """

    def __init__(self, folder: str, data: Callable[[], RootData]) -> None:
        self._directory = folder
        self._data = data
        self.problems: list[Problem] = []

    def __call__(self, chosen: Selection) -> Selection:
        """Return the selection with the certificates of its file or of the root data."""
        if chosen.sha256 or chosen.spki:
            return chosen
        if chosen.text.startswith(FILE):
            return self._of_file(chosen)
        found = by_name(self._data(), chosen.text)
        if found is None:
            self.problems.append(_unknown(chosen.text, self._data()))
            return chosen
        return found._replace(required=chosen.required)

    def _of_file(self, chosen: Selection) -> Selection:
        path = os.path.join(self._directory, chosen.text.removeprefix(FILE))
        reading = read_inputs([path])
        self.problems += reading.problems
        found = []
        for file in reading.files:
            read = certificates(file.path, file.data, EARLIEST)
            if file.wanted:
                self.problems += read.problems
                found += [each.certificate for each in read.found]
        return chosen._replace(sha256=frozenset(each.sha256 for each in found), certificates=tuple(found))


def by_name(data: RootData, text: str) -> Selection | None:
    """Return the certificates that an incident id (in any case) or the name of a root selects in ``data``, or None."""
    incidents = [each for each in data.incidents if text.lower() in map(str.lower, each.ids)]
    if incidents:
        return _of_incidents(text, incidents)
    roots = [root for root in data.roots.values() if text in (root.name, safe_name(root.name))]
    return Selection(text, frozenset(root.sha256 for root in roots)) if roots else None


def named_selections(data: RootData, names: Iterable[str]) -> dict[str, Selection]:
    """Return the selections of those ``names`` that ``data`` contains."""
    found = {name: by_name(data, name) for name in names}
    return {name: each._replace(required=True) for name, each in found.items() if each}


def _of_incidents(text: str, incidents: Iterable[Incident]) -> Selection:
    concerned = [each for incident in incidents for each in incident.certificates]
    return Selection(
        text,
        frozenset(each.sha256 for each in concerned if each.sha256),
        frozenset(each.spki for each in concerned if each.spki),
        tuple(each.certificate for each in concerned if each.certificate),
    )


def known_names(data: RootData) -> list[str]:
    """Return every name that :func:`by_name` accepts."""
    ids = [each for incident in data.incidents for each in incident.ids]
    return [*ids, *(root.name for root in data.roots.values())]


def _unknown(text: str, data: RootData) -> Problem:
    near = did_you_mean(text, known_names(data), 3)
    hint = near or "use sha256:HEX, spki:HEX or file:PATH, or --root-data FILE with a newer table"
    return UNKNOWN_SELECTION("", f"{text} is neither an incident nor a root of the root data of {data.date}", hint)


def program(name: str, data: RootData, at: datetime) -> RootProgram:
    """Return the root program ``name``, one of :data:`PROGRAMS`, with the roots that it trusts for TLS at ``at``."""
    roots = {root.sha256: root.name for root in data.roots.values() if _trusts(root, at)}
    return RootProgram(f"{name.capitalize()}'s root program (list of {data.date})", roots)


def _trusts(root: ProgramRoot, at: datetime) -> bool:
    """Return whether a certificate that ``root`` issued may still be trusted at ``at``. After the distrust-after date
    of the root, only certificates from before it are trusted.
    """
    day = at.date()
    if root.left and root.left.date <= day:
        return False
    after = root.distrust_after.date if root.distrust_after else None
    return after is None or (day - after).days <= LONGEST_VALIDITY
