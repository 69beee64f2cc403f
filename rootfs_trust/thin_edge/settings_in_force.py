"""The trust settings of thin-edge.io that are in force in a rootfs, and the file that sets each."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from rootfs_trust.errors import ConflictError
from rootfs_trust.rootfs.view import Directory, File, View, join, read
from rootfs_trust.thin_edge.configure import FILE
from rootfs_trust.thin_edge.key_renames import RENAMES, key_as_written, lookup
from rootfs_trust.thin_edge.service_environment import DROP_IN, variable
from rootfs_trust.thin_edge.settings_file import SettingsFile, open_settings
from rootfs_trust.thin_edge.trust_settings import CLOUDS, KINDS, MAPPERS, OF_USERS, in_mapper
from rootfs_trust.thin_edge.version import mapper_file

DEFAULT = "/etc/ssl/certs"
"""The default of root_cert_path in thin-edge.io (tedge_config.rs)."""

_ASSIGNMENT = re.compile(r'^Environment="(TEDGE_[A-Z0-9_]+)=((?:[^"\\]|\\.)*)"\s*$', re.MULTILINE)


class FoundSetting(NamedTuple):
    """A trust setting in the rootfs. ``key`` is its key in tedge.toml of version 2; ``file`` sets it."""

    key: str
    value: str
    file: str


def found_settings(view: View) -> tuple[FoundSetting, ...]:
    """Return every trust setting in the rootfs. If two files set the same key, the result has the value that
    thin-edge.io uses.

    Raises InputError if a file is not valid TOML.
    """
    if view.kind("/etc/tedge") is not Directory:
        return ()
    found = {each.key: each for each in _of_files(view)}
    found |= {each.key: each for each in _of_environment(view, found)}
    return tuple(found[key] for key in sorted(found))


def mapper_tables(view: View) -> tuple[str, ...]:
    """Return the clouds and profiles that have a mapper file of 2.x: ``c8y``, ``c8y.profiles.edge``."""
    tables = (table.replace(".", ".profiles.", 1) for table in view.names(MAPPERS) if table.partition(".")[0] in CLOUDS)
    return tuple(table for table in tables if view.kind(mapper_file(table)) is File)


def cloud_roots_by_default(
    view: View, settings: tuple[FoundSetting, ...], main: SettingsFile
) -> Iterator[FoundSetting]:
    """Yield the default CA path of each cloud that has a URL but no CA path. 2.x reads a cloud with a mapper file only
    from there.
    """
    keys = {each.key for each in settings}
    mappers = mapper_tables(view)
    of_mappers = {table.partition(".")[0] for table in mappers}
    tables = {table: mapper_file(table) for table in mappers}
    tables |= {table: FILE for table in _tables(main) if table.partition(".")[0] not in of_mappers}
    for table, file in tables.items():
        document = main.document if file == FILE else open_settings(view, file, table).document
        url = lookup(document, key_as_written(document, f"{table}.url") if file == FILE else "url")
        if url is not None and f"{table}.root_cert_path" not in keys:
            yield FoundSetting(f"{table}.root_cert_path", DEFAULT, file)


def _tables(main: SettingsFile) -> Iterator[str]:
    """Yield the clouds, and their profiles in tedge.toml."""
    for cloud in CLOUDS:
        yield cloud
        profiles = lookup(main.document, key_as_written(main.document, f"{cloud}.profiles"))
        yield from (f"{cloud}.profiles.{name}" for name in profiles) if isinstance(profiles, dict) else ()


def _custom_mappers(view: View) -> Iterator[str]:
    """Yield the names of the custom mappers that have a file."""
    for name in view.names(MAPPERS):
        if name.partition(".")[0] not in CLOUDS and view.kind(mapper_file(name)) is File:
            yield name


def main_file(view: View) -> SettingsFile | None:
    """Return tedge.toml, or None if it is a link to a path outside the rootfs."""
    try:
        return open_settings(view, FILE)
    except ConflictError:
        return None


def _of_files(view: View) -> Iterator[FoundSetting]:
    main = main_file(view)
    mappers = mapper_tables(view)
    if main:
        yield from (each for each in _of_main(main.document) if not _of_a_mapper(each.key, mappers))
    for table in (*mappers, *_custom_mappers(view)):
        yield from _of_table(open_settings(view, mapper_file(table), table).document, table, mapper_file(table))


def _of_a_mapper(key: str, mappers: tuple[str, ...]) -> bool:
    """Return whether thin-edge.io 2.x ignores ``key`` in tedge.toml. If a cloud has any mapper file, 2.x reads only its
    mapper files.
    """
    return key.partition(".")[0] in {table.partition(".")[0] for table in mappers}


def _of_main(document: Mapping[str, Any]) -> Iterator[FoundSetting]:
    old = {new: name for name, new in RENAMES.items()}
    for key in _keys(document):
        value = lookup(document, key_as_written(document, key))
        if value is None and key in old:
            value = lookup(document, old[key])
        if isinstance(value, str):
            yield FoundSetting(key, value, FILE)


def _keys(document: Mapping[str, Any]) -> Iterator[str]:
    """Yield every known setting, also for the profiles in ``document``."""
    for key in KINDS:
        yield key
        cloud, _, rest = key.partition(".")
        profiles = lookup(document, key_as_written(document, f"{cloud}.profiles"))
        if cloud in CLOUDS and isinstance(profiles, Mapping):
            yield from (f"{cloud}.profiles.{profile}.{rest}" for profile in profiles)


def _of_table(document: Mapping[str, Any], table: str, file: str) -> Iterator[FoundSetting]:
    cloud = table.partition(".")[0]
    for key in KINDS:
        if key.partition(".")[0] == cloud or (key == OF_USERS and cloud not in CLOUDS):
            rest = key.partition(".")[2]
            value = lookup(document, rest)
            if isinstance(value, str):
                yield FoundSetting(f"{table}.{rest}", in_mapper(table, value) if key == OF_USERS else value, file)


def _of_environment(view: View, found: Mapping[str, FoundSetting]) -> Iterator[FoundSetting]:
    """Yield the settings in rootfs-trust's drop-in for systemd. Profiles are recognized by settings in the files."""
    keys = {variable(key): key for key in (*KINDS, *found)}
    text = (read(view, DROP_IN) or b"").decode("utf-8", "replace")
    for name, value in _ASSIGNMENT.findall(text):
        key = keys.get(name, name)
        yield FoundSetting(key, re.sub(r"\\(.)", r"\1", value).replace("%%", "%"), DROP_IN)


def has_thin_edge(view: View) -> bool:
    """Return whether the rootfs has thin-edge.io's directory."""
    return view.kind(join("/etc", "tedge")) is Directory
