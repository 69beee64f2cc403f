"""Converts changes of an ext file system to commands of debugfs. Does no I/O.

Source: debugfs(8). A path is quoted, and a quote in it doubled, as libss reads it. Control characters are refused.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from rootfs_trust.errors import MalformedError
from rootfs_trust.image.file_types import MODES
from rootfs_trust.image.layer_entries import ImageChanges, NewEntry
from rootfs_trust.rootfs.view import Directory, File, Symlink, parent

_MAX_LOW = 0xFFFFFFFF


@dataclass(slots=True)
class Script:
    """A script for debugfs: its commands, and the contents of the files that they use, which are called ``f0``, ``f1``,
    ...
    """

    lines: list[str] = field(default_factory=list)
    files: list[bytes] = field(default_factory=list)

    def file(self, content: bytes) -> str:
        """Return the name of a file with this content, which is added to the script."""
        self.files.append(content)
        return f"f{len(self.files) - 1}"


def commands(changes: ImageChanges, existing: set[str]) -> Script:
    """Return the commands for ``changes``. ``existing`` are the changed paths that the image already has."""
    script = Script()
    for place in (*changes.gone, *(place for place in changes.entries if place in existing)):
        script.lines.append(f"rm {_quoted(place)}")
    for place, entry in changes.entries.items():
        script.lines += _entry_commands(script, place, entry)
    for place, entry in {**changes.directories, **_directories(changes)}.items():
        script.lines += _times(place, entry.mtime)
    return script


def _directories(changes: ImageChanges) -> dict[str, NewEntry]:
    """Return the new directories. Their times are set last, because creating entries in them changes the times."""
    return {place: entry for place, entry in changes.entries.items() if isinstance(entry.node, Directory)}


def _entry_commands(script: Script, place: str, entry: NewEntry) -> Iterator[str]:
    yield f"cd {_quoted(parent(place))}"
    name = _quoted(place.rpartition("/")[2])
    if isinstance(entry.node, File):
        yield f"write {script.file(entry.node.content)} {name}"
    elif isinstance(entry.node, Symlink):
        yield f"symlink {name} {_quoted(entry.node.points_to)}"
    else:
        yield f"mkdir {name}"
    uid, gid = entry.owner
    fields = {"mode": f"0{MODES[type(entry.node)] | entry.mode:o}", "uid": uid, "gid": gid}
    for key, value in fields.items():
        yield f"set_inode_field {_quoted(place)} {key} {value}"
    yield from _times(place, entry.mtime)
    for key, content in sorted(entry.attributes.items()):
        yield f"ea_set -f {script.file(content)} {_quoted(place)} {_quoted(key)}"


def _times(place: str, time: int) -> Iterator[str]:
    for key in ("mtime", "atime", "ctime"):
        yield f"set_inode_field {_quoted(place)} {key} @{time & _MAX_LOW}"


def _quoted(text: str) -> str:
    if not text.isprintable() or not text:
        raise MalformedError(f"has a path {text!r} that debugfs cannot be given")
    return '"' + text.replace('"', '""') + '"'
