"""What ``check`` may find: kinds of findings, each a constant beside the check that finds it, and single ones."""

from __future__ import annotations

from dataclasses import dataclass

ERROR, WARNING, NOTE = "error", "warning", "note"
LEVELS = (ERROR, WARNING, NOTE)
"""The worst first. An error: some client on the device fails, or trusts what it must not."""


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of findings. ``id`` is stable; the texts may be worded anew.

    ``levels``  those that its findings may have, the usual one first.
    ``title``   what is found, in a few words.
    ``why``     why it matters, and to which programs.
    ``mend``    what to do about it, unless the finding itself knows better.
    """

    id: str
    levels: tuple[str, ...]
    title: str
    why: str
    mend: str

    def found(self, path: str, message: str, *, level: str = "", mend: str = "", line: int = 0) -> Finding:
        """A finding of this kind; ``level`` is the usual one unless it is given."""
        return Finding(self, level or self.levels[0], path, message, mend or self.mend, line)


@dataclass(frozen=True, slots=True)
class Finding:
    """Something that is wrong, or worth knowing, at ``path`` of the device; ``line`` counts from 1, 0 is none."""

    kind: Kind
    level: str
    path: str
    message: str
    mend: str
    line: int = 0

    @property
    def id(self) -> str:
        """That of its kind."""
        return self.kind.id
