"""What a distribution makes ``trust extract`` write: the calls of its script, as data, and their results.

Arch also fills /etc/ssl/certs with the links of a hash directory; Fedora, since its ca-certificates 2025.2.80, adds
the hash links to /etc/pki/tls/certs, where OpenSSL looks for them by default.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from rootfs_trust.errors import MalformedError, Problem
from rootfs_trust.rootfs.view import Absent, Directory, File, Symlink, View, join, read
from rootfs_trust.store import jks
from rootfs_trust.store.hash_links import is_looked_up
from rootfs_trust.store.p11kit import formats
from rootfs_trust.store.p11kit.entries import TokenEntry
from rootfs_trust.store.p11kit.formats import ExtractedDirectory, hash_directory
from rootfs_trust.store.p11kit.output_selection import Chosen, Filter, select
from rootfs_trust.store.p11kit.parser import parse_file
from rootfs_trust.store.p11kit.token import Token
from rootfs_trust.x509.oids import CODE_SIGNING, EMAIL, SERVER_AUTH

FILE_MODE, DIRECTORY_MODE = 0o444, 0o555
"""What p11_save_finish_file and p11_save_finish_directory leave."""

_COMMENTS = re.compile(rb"(?:#[^\n]*\n)*")


@dataclass(frozen=True, slots=True, kw_only=True)
class ExtractedBundle:
    """One file. ``purpose`` empty: any."""

    path: str
    format: Literal["pem", "openssl", "edk2", "java"]
    purpose: str = ""
    filter: Filter = Filter.ANCHORS
    comment: bool = False
    header: bytes = b""
    """The comments that the script writes before the first certificate of a new file; those of an old one are kept."""
    mode: int = FILE_MODE


@dataclass(frozen=True, slots=True, kw_only=True)
class Folder:
    """One hash directory. ``trusted``: its files are TRUSTED CERTIFICATEs. ``extra``: more links, name and text."""

    path: str
    trusted: bool = False
    purpose: str = ""
    extra: tuple[tuple[str, str], ...] = ()


_PURPOSES = {
    "": "",
    SERVER_AUTH: ", for servers",
    EMAIL: ", for email",
    CODE_SIGNING: ", for signed code",
}
_FORMATS = {"pem": "PEM", "openssl": "TRUSTED CERTIFICATE", "edk2": "EFI signature lists", "java": "JKS"}

Desired = dict[str, File | Symlink | Directory | Absent]


def described(output: ExtractedBundle) -> str:
    """The bundle for docs/layouts.md."""
    comment = ", with labels as comments" if output.comment else ""
    held = "all certificates" if output.filter is Filter.CERTIFICATES else "trusted CAs"
    return (
        f"`{output.path}` (0{output.mode:o}): {held}{_PURPOSES[output.purpose]}, as {_FORMATS[output.format]}{comment}"
    )


def described_folder(output: Folder) -> tuple[str, ...]:
    """The folder for docs/layouts.md."""
    form = _FORMATS["openssl" if output.trusted else "pem"]
    return (
        f"`{output.path}/LABEL.pem` (0444, directory 0555): trusted CAs{_PURPOSES[output.purpose]}, as {form}",
        f"`{output.path}/HASH.N`: relative hash links, new and old style in one row of numbers",
        *(f"`{output.path}/{name}` -> `{text}`" for name, text in output.extra),
    )


def bundle_file(
    view: View, output: ExtractedBundle, tokens: Sequence[Token], *, last_name: bool, created: int | None = None
) -> File:
    """The file of ``output``; ``created`` is the date of what is new in a Java keystore."""
    chosen = select(tokens, output.filter, output.purpose, last_name=last_name)
    header = _header(view, output) if output.header else b""
    return File(header + _content(view, output, chosen, created), mode=output.mode)


def _header(view: View, output: ExtractedBundle) -> bytes:
    """The comment lines that the file of ``output`` begins with: other versions of the script write others."""
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
    """The keystore that takes the place of ``data``: an entry that stays keeps its date.

    What is new gets ``created``, else the latest date that is there, else 0, so that the same certificates give the
    same bytes. trust extract dates every entry anew, by SOURCE_DATE_EPOCH or the clock.
    """
    try:
        old = jks.read_keystore(data)
    except MalformedError:
        old = []
    kept = {(each.alias, each.der): each.created_ms for each in old}
    date = created if created is not None else max((each.created_ms // 1000 for each in old), default=0)

    def dated(pairs: Iterable[tuple[str, bytes]], new: int) -> bytes:
        return jks.write_keystore(
            jks.KeystoreEntry(alias, kept.get((alias, der), new * 1000), der) for alias, der in pairs
        )

    return formats.java_cacerts(chosen, date, dated)


def folder_of(output: Folder, tokens: Sequence[Token], *, last_name: bool) -> ExtractedDirectory:
    """The files and links of ``output``."""
    chosen = select(tokens, Filter.ANCHORS, output.purpose, last_name=last_name)
    return hash_directory(chosen, formats.trusted_pem_of if output.trusted else formats.pem_of)


def folder_nodes(output: Folder, made: ExtractedDirectory) -> Desired:
    """The folder in the order of writing.

    Of names that are numbered the highest come first: one whose number grows is there before its old name is
    given to another.
    """
    nodes: Desired = {output.path: Directory(mode=DIRECTORY_MODE)}
    for name in reversed(made.files):
        nodes[join(output.path, name)] = File(made.files[name], mode=FILE_MODE)
    for name in sorted(made.links, key=lambda name: (name[:8], -int(name[9:]))):
        nodes[join(output.path, name)] = Symlink(made.links[name])
    return nodes | {join(output.path, name): Symlink(text) for name, text in output.extra}


def leftovers(view: View, folder: str, desired: Desired) -> Iterator[str]:
    """What earlier runs wrote into ``folder`` and this one does not."""
    for name in view.names(folder):
        path = join(folder, name)
        if path not in desired and _is_written(view, path, name):
            yield path


def foreign_files(view: View, folder: str, desired: Desired) -> Iterator[Problem]:
    """Files of others in a folder that the device's own tool sweeps: they stay here, and are told."""
    for name in view.names(folder):
        path = join(folder, name)
        if path not in desired and view.kind(path, follow=False) is not Directory:
            message = "is nobody's output; the device's own tool takes it away when it runs next"
            yield Problem("stray-file", path, message, "move it elsewhere")


def _is_written(view: View, path: str, name: str) -> bool:
    kind = view.kind(path, follow=False)
    if kind is Symlink:
        return is_looked_up(name)
    return kind is File and name.endswith(".pem") and _is_one_block(read(view, path) or b"")


def _is_one_block(data: bytes) -> bool:
    """Whether ``data`` is a certificate exactly as an output has it."""
    entries = [each for each in parse_file("", data, "") if isinstance(each, TokenEntry)]
    if len(entries) != 1 or data.count(b"-----BEGIN ") != 1:
        return False
    return data.startswith((b"-----BEGIN CERTIFICATE-----\n", b"-----BEGIN TRUSTED CERTIFICATE-----\n"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Mirror:
    """``prefix`` is what stands before a file's name in a link. ``files``: the files have links too.

    ``as_found``: only where the folder has such hash links already, and with the prefix that they have.
    """

    path: str
    prefix: str
    files: bool = False
    as_found: bool = False


def described_mirror(mirror: Mirror) -> tuple[str, ...]:
    """The mirror for docs/layouts.md."""
    names = ("LABEL.pem", "HASH.N") if mirror.files else ("HASH.N",)
    where = ", where such links are there already" if mirror.as_found else ""
    return tuple(f"`{mirror.path}/{name}` -> `{mirror.prefix}LABEL.pem`{where}" for name in names)


def mirror_nodes(view: View, mirror: Mirror, made: ExtractedDirectory) -> Desired:
    """The links to the files of ``made``, and those that have to go."""
    prefix = _found_prefix(view, mirror) if mirror.as_found else mirror.prefix
    if not prefix:
        return {}
    texts = {name: name for name in made.files if mirror.files} | _in_order(made.links)
    nodes: Desired = {join(mirror.path, name): Symlink(prefix + text) for name, text in texts.items()}
    stale = (path for path in _own_links(view, mirror, prefix) if path not in nodes)
    return nodes | dict.fromkeys(stale, Absent())


def has_hash_links(view: View, mirror: Mirror) -> bool:
    """Whether the folder is one that holds hash links into the hash directory."""
    return bool(_found_prefix(view, mirror))


def _in_order(links: dict[str, str]) -> dict[str, str]:
    return {name: links[name] for name in sorted(links, key=lambda name: (name[:8], -int(name[9:])))}


def _found_prefix(view: View, mirror: Mirror) -> str:
    """What stands before the name in the first hash link of the folder that leads into the hash directory."""
    ending = mirror.prefix.rpartition("../")[2]
    for name in filter(is_looked_up, view.names(mirror.path)):
        node = view.node(join(mirror.path, name))
        if isinstance(node, Symlink):
            prefix = "".join(node.points_to.rpartition("/")[:2])
            if prefix.endswith(ending):
                return prefix
    return ""


def _own_links(view: View, mirror: Mirror, prefix: str) -> list[str]:
    """The links of the folder that lead into the hash directory; bundles' links have other names and stay."""
    own: list[str] = []
    for name in view.names(mirror.path):
        node = view.node(join(mirror.path, name))
        if isinstance(node, Symlink) and node.points_to.startswith(prefix):
            own.append(join(mirror.path, name))
    return own
