"""The results of the ``trust extract`` calls of a distribution's script."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from rootfs_trust.errors import STRAY_FILE, MalformedError, Problem
from rootfs_trust.layouts.tools import (
    DIRECTORY_MODE,
    FILE_MODE,
    ExtractedBundle,
    ExtractedHashDirectory,
    Mirror,
)
from rootfs_trust.rootfs.view import Absent, Directory, File, Symlink, View, join, read
from rootfs_trust.store import jks
from rootfs_trust.store.hash_links import is_looked_up
from rootfs_trust.store.p11kit import formats
from rootfs_trust.store.p11kit.entries import TokenEntry
from rootfs_trust.store.p11kit.formats import ExtractedDirectory, hash_directory
from rootfs_trust.store.p11kit.output_selection import Chosen, Filter, select
from rootfs_trust.store.p11kit.parser import parse_file
from rootfs_trust.store.p11kit.token import Token

_COMMENTS = re.compile(rb"(?:#[^\n]*\n)*")

Desired = dict[str, File | Symlink | Directory | Absent]


def bundle_file(
    view: View, output: ExtractedBundle, tokens: Sequence[Token], *, last_name: bool, created: int | None = None
) -> File:
    """Return the file of ``output``. ``created`` is the date of new entries in a Java keystore."""
    wanted = Filter.CERTIFICATES if output.everything else Filter.ANCHORS
    chosen = select(tokens, wanted, output.purpose, last_name=last_name)
    header = _header(view, output) if output.header else b""
    return File(header + _content(view, output, chosen, created), mode=output.mode)


def _header(view: View, output: ExtractedBundle) -> bytes:
    """Return the comment lines at the beginning of the existing file, which depend on the version of the script that
    wrote it.
    """
    data = read(view, output.path)
    found = _COMMENTS.match(data) if data else None
    return found[0] if found else output.header


def _content(view: View, output: ExtractedBundle, chosen: list[Chosen], created: int | None) -> bytes:
    if output.format == "pem":
        return formats.pem_bundle(chosen, comment=output.comment)
    if output.format == "openssl":
        return formats.openssl_bundle(chosen, comment=output.comment)
    if output.format == "edk2":
        return formats.edk2_cacerts(chosen)
    return _java(read(view, output.path) or b"", chosen, created)


def _java(data: bytes, chosen: list[Chosen], created: int | None) -> bytes:
    """Return the keystore that replaces ``data``. An entry whose certificate stays keeps its date.

    New entries get ``created``, else the latest date in ``data``, else 0, so that the same certificates give the same
    bytes. trust extract dates every entry on each run, by SOURCE_DATE_EPOCH or the clock.
    """
    try:
        old = jks.read_keystore(data)
    except MalformedError:
        old = []
    return jks.write_keystore(jks.with_dates(formats.java_cacerts(chosen), old, created))


def extracted_directory(
    output: ExtractedHashDirectory, tokens: Sequence[Token], *, last_name: bool
) -> ExtractedDirectory:
    """Return the files and links of the hash directory ``output``."""
    chosen = select(tokens, Filter.ANCHORS, output.purpose, last_name=last_name)
    return hash_directory(chosen, formats.trusted_pem_of if output.trusted else formats.pem_of)


def directory_nodes(output: ExtractedHashDirectory, made: ExtractedDirectory) -> Desired:
    """Return the nodes of a hash directory, in the order of writing.

    Links with the highest numbers come first: a certificate whose number grows gets its new link before its old link
    name is reused.
    """
    nodes: Desired = {output.path: Directory(mode=DIRECTORY_MODE)}
    for name in reversed(made.files):
        nodes[join(output.path, name)] = File(made.files[name], mode=FILE_MODE)
    for name in sorted(made.links, key=lambda name: (name[:8], -int(name[9:]))):
        nodes[join(output.path, name)] = Symlink(made.links[name])
    return nodes | {join(output.path, name): Symlink(text) for name, text in output.extra}


def leftovers(view: View, folder: str, desired: Desired) -> Iterator[str]:
    """Yield the paths in ``folder`` that an earlier run wrote and that this run does not write."""
    for name in view.names(folder):
        path = join(folder, name)
        if path not in desired and _is_written(view, path, name):
            yield path


def foreign_files(view: View, folder: str, desired: Desired) -> Iterator[Problem]:
    """Yield a warning for each foreign file in a directory that the distribution's tool empties on the device. The run
    keeps these files.
    """
    for name in view.names(folder):
        path = join(folder, name)
        if path not in desired and view.kind(path, follow=False) is not Directory:
            yield STRAY_FILE(path, "belongs to no output; the device's paths tool deletes it when it runs next")


def _is_written(view: View, path: str, name: str) -> bool:
    kind = view.kind(path, follow=False)
    if kind is Symlink:
        return is_looked_up(name)
    return kind is File and name.endswith(".pem") and _is_one_block(read(view, path) or b"")


def _is_one_block(data: bytes) -> bool:
    """Return whether ``data`` contains only one certificate, in exactly the form that an output uses."""
    entries = [each for each in parse_file("", data, "") if isinstance(each, TokenEntry)]
    if len(entries) != 1 or data.count(b"-----BEGIN ") != 1:
        return False
    return data.startswith((b"-----BEGIN CERTIFICATE-----\n", b"-----BEGIN TRUSTED CERTIFICATE-----\n"))


def mirror_nodes(view: View, mirror: Mirror, made: ExtractedDirectory) -> Desired:
    """Return the links to the files of ``made``, and the links to delete."""
    prefix = _found_prefix(view, mirror) if mirror.as_found else mirror.prefix
    if not prefix:
        return {}
    texts = {name: name for name in made.files if mirror.files} | _in_order(made.links)
    nodes: Desired = {join(mirror.path, name): Symlink(prefix + text) for name, text in texts.items()}
    stale = (path for path in _mirrored_links(view, mirror, prefix) if path not in nodes)
    return nodes | dict.fromkeys(stale, Absent())


def has_hash_links(view: View, mirror: Mirror) -> bool:
    """Return whether the directory of ``mirror`` has hash links that point into the hash directory."""
    return bool(_found_prefix(view, mirror))


def _in_order(links: dict[str, str]) -> dict[str, str]:
    return {name: links[name] for name in sorted(links, key=lambda name: (name[:8], -int(name[9:])))}


def _found_prefix(view: View, mirror: Mirror) -> str:
    """Return the target of the first hash link that points into the hash directory, without the file name."""
    ending = mirror.prefix.rpartition("../")[2]
    for name in filter(is_looked_up, view.names(mirror.path)):
        node = view.node(join(mirror.path, name))
        if isinstance(node, Symlink):
            prefix = "".join(node.points_to.rpartition("/")[:2])
            if prefix.endswith(ending):
                return prefix
    return ""


def _mirrored_links(view: View, mirror: Mirror, prefix: str) -> list[str]:
    """Return the links of the directory that point into the hash directory. Links to bundles have other names
    and stay.
    """
    paths: list[str] = []
    for name in view.names(mirror.path):
        node = view.node(join(mirror.path, name))
        if isinstance(node, Symlink) and node.points_to.startswith(prefix):
            paths.append(join(mirror.path, name))
    return paths
