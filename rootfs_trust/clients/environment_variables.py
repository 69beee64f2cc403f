"""Variables that a root filesystem sets for programs: in an image's configuration, and in files of shells and systemd.

The configuration of an image reaches every program. A file reaches some of them: sessions, or one unit.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

from rootfs_trust.clients.file_readers import FileReader
from rootfs_trust.clients.table import VARIABLES
from rootfs_trust.rootfs.view import join, read

CONFIGURATION = "the image's configuration"
"""The place that findings name for a variable that no file sets."""

_FILES = ("/etc/environment", "/etc/profile", "/etc/systemd/system.conf")
_DIRECTORIES = (
    "/etc/profile.d",
    "/etc/environment.d",
    "/usr/lib/environment.d",
    "/etc/default",
    "/etc/sysconfig",
    "/etc/conf.d",
    "/etc/systemd/system.conf.d",
    "/etc/systemd/system",
    "/usr/lib/systemd/system",
    "/lib/systemd/system",
)
_LARGEST = 64 * 1024
_NAMES = "|".join(variable.name for variable in VARIABLES)
_ASSIGNMENT = re.compile(rf"(?<![A-Za-z0-9_])({_NAMES})=(?:\"([^\"\n]*)\"|'([^'\n]*)'|([^\s\"';]+))")
_NAMED = re.compile(_NAMES)
_QUOTED_ASSIGNMENT = re.compile(rf"([\"'])({_NAMES})=([^\"'\n]*)\1")
_ENVIRONMENT_FILE = re.compile(r"^[ \t]*EnvironmentFile=-?(/\S+)", re.MULTILINE)


class Scope(NamedTuple):
    """Variables that one file sets, for the programs that read it."""

    place: str
    variables: dict[str, str]


def variable(reading: FileReader, name: str) -> list[tuple[str, str]]:
    """Return the values that the rootfs sets for the variable ``name``, each with the file that sets it, in the order
    of reading. Shell expressions are not evaluated.
    """
    value = reading.named(name)
    found = [(value, CONFIGURATION)] if value else []
    return found + [(scope.variables[name], scope.place) for scope in scopes(reading) if name in scope.variables]


def scopes(reading: FileReader) -> tuple[Scope, ...]:
    """Return the files of the rootfs that set a variable of the table, in the order of reading."""
    return reading.device.once("scopes", lambda: tuple(_scopes(reading)))


def _scopes(reading: FileReader) -> Iterator[Scope]:
    for path, text in dict(_texts(reading)).items():
        found = dict(_assignments(text)) if _NAMED.search(text) else {}
        if found:
            yield Scope(path, found)


def _assignments(text: str) -> Iterator[tuple[str, str]]:
    """Yield assignments: ``export NAME="value"`` or ``NAME=value`` of a shell, ``Environment="NAME=value"`` of
    systemd.
    """
    for line in text.splitlines():
        if not line.lstrip().startswith("#"):
            for match in _QUOTED_ASSIGNMENT.finditer(line):
                yield match[2], match[3]
            for match in _ASSIGNMENT.finditer(_QUOTED_ASSIGNMENT.sub("", line)):
                yield match[1], "".join(match.groups("")[1:])


def _text(reading: FileReader, path: str) -> str:
    data = read(reading.view, path) or b""
    return data.decode("utf-8", "replace") if len(data) <= _LARGEST else ""


def _texts(reading: FileReader) -> Iterator[tuple[str, str]]:
    """Yield path and text of the files that may set variables. EnvironmentFile= of a unit comes after the unit."""
    for path in _places(reading):
        text = _text(reading, path)
        yield path, text
        if "/systemd/" in path and "EnvironmentFile=" in text:
            yield from ((named, _text(reading, named)) for named in _ENVIRONMENT_FILE.findall(text))


def _places(reading: FileReader) -> Iterator[str]:
    yield from _FILES
    for folder in _DIRECTORIES:
        for name in reading.view.names(folder):
            path = join(folder, name)
            if reading.is_file(path):
                yield path
            elif name.endswith(".service.d"):
                yield from reading.files_in(path)
