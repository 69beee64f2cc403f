"""Parses fleet.toml: the root filesystems and images, and the config of each. Errors name the key and the line."""

from __future__ import annotations

import errno
import glob
import os
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product
from typing import Any

from rootfs_trust.api.open_tree import host_path
from rootfs_trust.errors import InputError, refuse
from rootfs_trust.image.host_files import unreadable
from rootfs_trust.inputs.config_reader import parse_toml, read_text
from rootfs_trust.inputs.toml_schema import Check, TableReader, list_of, string

DESCRIBED = "docs/fleet.md describes every key"


def _states(value: object) -> tuple[str, ...]:
    return tuple(list_of(string)([value] if isinstance(value, str) else value))


_TARGET: dict[str, Check] = {
    "root": string,
    "image": string,
    "dest": string,
    "config": string,
    "state": _states,
}


@dataclass(frozen=True, slots=True)
class Target:
    """One root filesystem or image. Paths are absolute host paths; ``dest`` is the path of the new image.

    ``states`` are device states to merge for read-only commands. ``config`` is empty if there is none.
    """

    name: str
    """The name in results: the path as in the file, with the state if a pattern matches several."""
    path: str
    config: str
    dest: str | None = None
    states: tuple[str, ...] = ()

    @property
    def output(self) -> str:
        """The path that is written: the tree itself, or the new image."""
        return self.path if self.dest is None else self.dest


def read_targets(path: str, *, writing: bool = True) -> tuple[Target, ...]:
    """Return the targets of the fleet.toml at ``path``, in its order, and in byte order for each pattern.

    Raises InputError. Targets that are only read need neither ``config`` nor ``dest``, and may occur twice.
    """
    return parse_targets(read_text(path), path, writing=writing)


def parse_targets(text: str, path: str, *, writing: bool = True) -> tuple[Target, ...]:
    """Parse the targets in ``text``. Raises InputError with every error in it."""
    reader = TableReader(path, text, DESCRIBED)
    document = parse_toml(text, path, DESCRIBED)
    reader.unknown("", document, ("target",))
    targets = [
        each for key, table in reader.array("target", document) for each in _targets(reader, key, table, writing)
    ]
    if not document.get("target"):
        reader.wrong("target", "is missing: there is nothing to do")
    if writing:
        _refuse_twice(reader, targets)
    refuse(InputError, reader.problems)
    return tuple(target for _, target in targets)


def _targets(reader: TableReader, key: str, value: object, writing: bool) -> Iterator[tuple[str, Target]]:
    """Yield the targets of one table, each with its key."""
    before = len(reader.problems)
    table = reader.table(key, value, _TARGET, ("config",) if writing else ())
    if len(reader.problems) > before or not _one_kind(reader, key, table, writing):
        return
    folder = os.path.dirname(os.path.abspath(reader.path))
    kind = "root" if "root" in table else "image"
    names = _matches(folder, table[kind], directories_only=True) if kind == "root" else _images(folder, table[kind])
    if not names:
        what = "directory" if kind == "root" else "file or directory"
        reader.wrong(f"{key}.{kind}", f"{table[kind]} matches no {what}", "patterns are relative to this file")
    config = os.path.join(folder, table["config"]) if "config" in table else ""
    specs = () if writing else table.get("state", ())
    devices = list(product(*(_devices(reader, key, folder, each) for each in specs)))
    several = any(map(glob.has_magic, specs))
    for name in names:
        dest = os.path.join(folder, table["dest"], _base(folder, name)) if "dest" in table else None
        for device in devices:
            spelled = f"{name} with {', '.join(spec for spec, _ in device)}" if several else name
            states = tuple(state for _, state in device)
            yield f"{key}.{kind}", Target(spelled, os.path.join(folder, name), config, dest, states)


def _devices(reader: TableReader, key: str, folder: str, spec: str) -> list[tuple[str, str]]:
    """Return the states of a ``--state`` argument, as written and with absolute directories."""
    head, mark, pattern = spec.partition(":" if spec.startswith("ostree:") else "=")
    if not glob.has_magic(pattern):
        return [(spec, f"{head}{mark}{os.path.join(folder, pattern)}")]
    found = _matches(folder, pattern, directories_only=True)
    if not found:
        reader.wrong(f"{key}.state", f"{spec} matches no directory", "patterns are relative to this file")
    return [(f"{head}{mark}{path}", f"{head}{mark}{os.path.join(folder, path)}") for path in found]


def _one_kind(reader: TableReader, key: str, table: dict[str, Any], writing: bool) -> bool:
    if ("root" in table) == ("image" in table):
        reader.wrong(key, 'has to have either "root" or "image"')
    elif writing and ("image" in table) != ("dest" in table):
        reader.wrong(key, '"image" and "dest" go together: roots are changed in place')
    else:
        return True
    return False


def _images(folder: str, pattern: str) -> list[str]:
    """Return the paths that match a pattern. If the pattern ends with a partition (``*.wic#2``), return that partition
    of each file.
    """
    found = _matches(folder, pattern, directories_only=False)
    files, mark, number = pattern.rpartition("#")
    if found or not number.isdecimal():
        return found
    return [f"{name}{mark}{number}" for name in _matches(folder, files, directories_only=False)]


def _matches(folder: str, pattern: str, *, directories_only: bool) -> list[str]:
    names = glob.glob(pattern, root_dir=folder, recursive=True)
    wanted = {name for name in names if _exists(os.path.join(folder, name), directories_only=directories_only)}
    return sorted(wanted, key=os.fsencode)


def _exists(path: str, *, directories_only: bool) -> bool:
    """Return whether ``path`` exists, and is a directory if only those count.

    Raises InputError if that cannot be found out: os.path.exists would drop a target on a failing disk.
    """
    try:
        mode = os.stat(path).st_mode
    except (FileNotFoundError, NotADirectoryError, ValueError):  # ValueError: a NUL in the name
        return False
    except OSError as error:
        if error.errno in (errno.ELOOP, errno.ENAMETOOLONG):
            return False
        raise unreadable(path, error) from error
    return stat.S_ISDIR(mode) or not directories_only


def _base(folder: str, name: str) -> str:
    """Return the file name of a target, without the partition that may follow it."""
    path = os.path.join(folder, name)
    return os.path.basename(host_path(path).rstrip("/"))


def _refuse_twice(reader: TableReader, targets: list[tuple[str, Target]]) -> None:
    """Add an error for targets that write to the same path, as the last one would win."""
    first: dict[object, tuple[str, Target]] = {}
    for key, target in targets:
        kept_key, kept = first.setdefault(_place(target.output), (key, target))
        if kept is not target:
            reader.wrong(key, f"{target.name} writes where {kept.name} of {kept_key} does", "name each target once")


def _place(path: str) -> object:
    """Return a key that is equal for two spellings of one path."""
    try:
        status = os.stat(path)
    except FileNotFoundError:
        return os.path.realpath(path)
    return status.st_dev, status.st_ino
