"""Data classes: a kind of finding, a finding, and a command that may fix it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import NamedTuple

ERROR, WARNING, NOTE = "error", "warning", "note"
LEVELS = (ERROR, WARNING, NOTE)
"""The levels of findings, the most severe first. An error means that a client on the device fails, or trusts what it
should not.
"""


@dataclass(frozen=True, slots=True)
class FindingType:
    """A kind of finding. ``id`` is stable; the texts may change.

    ``levels``  possible levels, the usual one first.
    ``title``   what is found, in a few words.
    ``why``     why it matters, and to which programs.
    ``fix``     how to fix it by hand, unless the finding has its own fix. It names no command of rootfs-trust, because
                ``check`` prints such a command instead if it has tried it successfully.
    """

    id: str
    levels: tuple[str, ...]
    title: str
    why: str
    fix: str

    def found(
        self,
        path: str,
        message: str,
        *,
        level: str = "",
        fix: str = "",
        line: int = 0,
        sha256: str = "",
        cause: str = "",
        commands: tuple[Command, ...] = (),
    ) -> Finding:
        """Return a finding of this kind. ``level`` defaults to the usual one."""
        return Finding(
            self, level or self.levels[0], path, message, fix or self.fix, line, sha256, cause=cause, commands=commands
        )

    def found_of(
        self,
        path: str,
        name: str,
        cause: str,
        *,
        level: str = "",
        fix: str = "",
        sha256: str,
        commands: tuple[Command, ...] = (),
    ) -> Finding:
        """Return a finding about the anchor ``name``, which may share its ``cause`` with others."""
        finding = self.found(path, f"{name} {cause}", level=level, fix=fix, sha256=sha256, commands=commands)
        return replace(finding, name=name, cause=cause)


@dataclass(frozen=True, slots=True)
class Command:
    """A command that may fix a finding.

    ``install`` or ``remove`` with the arguments after ``--root DIR``, or ``chmod`` with a mode and a path.
    """

    name: str
    arguments: tuple[str, ...] = ()


INSTALL = Command("install")
ADOPT = Command("install", ("--adopt",))


def remove(sha256: str) -> Command:
    """Return the command that removes every copy of a certificate."""
    return Command("remove", (f"sha256:{sha256}",))


def remove_concerned(incident: str) -> Command:
    """Return the command that removes every certificate of an incident in the root data, by the incident's id."""
    return Command("remove", (incident,))


def remove_from(sha256: str, runtime: str) -> Command:
    """Return the command that removes a certificate from the stores of ``runtime``, too."""
    return Command("remove", (f"sha256:{sha256}", "--runtimes", runtime))


def carry_into(runtime: str) -> Command:
    """Return the command that adds the installed anchors to the stores of ``runtime``."""
    return Command("install", ("--runtimes", runtime))


READABLE, GUARDED = "a+rX", "go-w"
"""Modes for :func:`chmod`: every user can read; only the owner can write."""


def chmod(mode: str, path: str) -> Command:
    """Return the command that changes the mode of ``path`` on the device."""
    return Command("chmod", (mode, path))


class Expectation(NamedTuple):
    """The ``[[server]]`` that a finding is about, its client (empty: several), and the file and line of the table."""

    server: str
    client: str
    where: str


@dataclass(frozen=True, slots=True)
class Finding:
    """A finding at ``path`` of the device. ``line`` counts from 1; 0 means no line."""

    kind: FindingType
    level: str
    path: str
    message: str
    fix: str
    line: int = 0
    sha256: str = ""
    """SHA-256 of the anchor that the finding concerns; empty if it concerns no single anchor."""
    name: str = ""
    cause: str = ""
    """What several findings have in common. Text output joins them to one line: "N CAUSE". If they have names, their
    messages are "NAME CAUSE", and the line is "N roots, each of which CAUSE"."""
    commands: tuple[Command, ...] = ()
    """Commands to try before ``install``, the most promising first."""
    command: str = ""
    """The shell command that fixes the finding; empty if none was tried or none works."""
    expectation: Expectation | None = None

    @property
    def id(self) -> str:
        """The id of the finding's kind, such as ``expired``."""
        return self.kind.id

    @property
    def key(self) -> tuple[str, str, int, str]:
        """The identity of the finding in one tree, independent of the text of its message."""
        return self.id, self.path, self.line, self.sha256 or self.name
