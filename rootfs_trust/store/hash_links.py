"""Which links a hash directory should have, worked out from the names and contents of its files alone.

OpenSSL finds a certificate in a directory by the hash of its subject: HASH.0, HASH.1, ... until one is missing; a
CRL by the hash of its issuer: HASH.r0 and so on (by_dir.c). What is linked, and how, follows `openssl rehash`
(apps/rehash.c), save that the links are a function of the files: numbers are dense, in byte order of the file
names, and do not depend on links that were there before.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, NamedTuple

from rootfs_trust.errors import MalformedError, Problem
from rootfs_trust.rootfs.view import Absent, Directory, Node, Symlink, View, as_bytes, join, read
from rootfs_trust.x509 import (
    Certificate,
    CertificateList,
    Name,
    Objects,
    looks_like_pkcs7,
    looks_like_pkcs12,
    parse_certificate,
    parse_crl,
    private_key_form,
    read_objects,
    unrecognized_begin_lines,
)

_EXTENSIONS = frozenset(("pem", "crt", "cer", "crl"))
LOOKED_UP = re.compile(r"([0-9a-f]{8})\.(r?)(0|[1-9][0-9]*)")
"""Names that OpenSSL asks a hash directory for (by_dir.c prints "%08lx.%s%d"): hash, ``r`` for a CRL, number."""

_HEX_DIGITS = frozenset("0123456789abcdefABCDEF")
_BEGIN = b"-----BEGIN "
_SPLIT = "rootfs-trust install splits and converts such files"


class Linkable(NamedTuple):
    """One certificate or CRL to be found.

    ``kind``         ``certificate`` or ``crl``.
    ``fingerprint``  tells copies of one thing from others.
    ``found_by``     the name whose hash names the link: of the certificate's subject, or of the CRL's issuer.
    """

    kind: str
    fingerprint: str
    found_by: Name


class HashedFile(NamedTuple):
    """A file of the directory: its name, what of it gets links, and what is to be told about it."""

    name: str
    linkables: tuple[Linkable, ...] = ()
    warnings: tuple[Problem, ...] = ()


def is_hash_link_name(name: str) -> bool:
    """Whether `openssl rehash` takes a symbolic link of this name for one of its own.

    Eight hexadecimal digits, a dot, perhaps an ``r``, and whatever strtoul reads as a number: badly written ones
    (``ABCDEF01.007``, ``abcdef01.R0``, ``abcdef01.+1``, ``abcdef01.r``) are never looked up, but they are hash
    links all the same and to be put right. A negative number is none.
    """
    if name[8:9] != "." or not _HEX_DIGITS.issuperset(name[:8]):
        return False
    number = name[10:] if name[9:10] in ("r", "R") else name[9:]
    digits = number.lstrip(" \t\n\v\f\r")
    digits = digits.removeprefix("+")
    return not number or (digits.isascii() and digits.isdigit())


def is_looked_up(name: str) -> bool:
    """Whether OpenSSL's lookup of a certificate may ask for a file of this name: a hash and a number."""
    link = LOOKED_UP.fullmatch(name)
    return link is not None and not link[2]


def is_looked_up_first(name: str) -> bool:
    """Whether OpenSSL's lookup of a certificate begins with a file of this name: a hash and the number 0."""
    link = LOOKED_UP.fullmatch(name)
    return link is not None and link.group(2, 3) == ("", "0")


def rehashable(name: str) -> bool:
    """Whether the extension of a file says that it may hold a certificate or CRL: pem, crt, cer, crl, any case."""
    _, dot, extension = name.rpartition(".")
    return bool(dot) and extension.lower() in _EXTENSIONS


def read_entry(name: str, data: bytes) -> HashedFile:
    """What a file gives to the directory: one certificate, one CRL or one of each. Never raises."""
    objects = read_objects(data)
    refused = _refusal(name, data, objects)
    if refused:
        return HashedFile(name, (), (refused,))
    found: list[Certificate | CertificateList] = [certificate for _, certificate in objects.certificates]
    if objects.crls:
        found += [crl for _, crl in objects.crls]
    return HashedFile(name, tuple([_linkable(each) for each in found]), tuple(_told(name, data, objects)))


def entry_of(name: str, found: Certificate | CertificateList) -> HashedFile:
    """An entry for a file whose one certificate or CRL is at hand."""
    return HashedFile(name, (_linkable(found),))


def _linkable(found: Certificate | CertificateList) -> Linkable:
    if isinstance(found, Certificate):
        return Linkable("certificate", found.sha256, found.subject)
    return Linkable("crl", found.sha256, found.issuer)


def _refusal(name: str, data: bytes, objects: Objects) -> Problem | None:
    """Why nothing of a file is linked, None if something is.

    A second key counts too: OpenSSL takes what stands behind it for a second thing.
    """
    if objects.bad:
        bad = objects.bad[0]
        label = bad.label if bad.label.isprintable() else ascii(bad.label)
        message = f"the {label} block at line {bad.line} cannot be read: {bad.reason}"
        return Problem("pem-malformed", name, message, "OpenSSL gives up on the whole file; mend or remove the block")
    if len(objects.certificates) > 1 or len(objects.crls) > 1 or len(objects.keys) > 1:
        return Problem("several-certificates", name, "holds more than one certificate, CRL or key", _SPLIT)
    if objects.certificates or objects.crls:
        return None
    return _nothing_found(name, data, objects)


def _nothing_found(name: str, data: bytes, objects: Objects) -> Problem:
    if objects.keys or private_key_form(data):
        return Problem("private-key", name, "holds a private key and no certificate", "keep it elsewhere")
    missed = unrecognized_begin_lines(data)
    if missed:
        message = f"OpenSSL does not see the BEGIN line {missed[0].line}"
        return Problem("pem-unseen", name, message, "each BEGIN must begin a line of ASCII text that ends with LF")
    form = _binary_form(data)
    if form:
        return Problem(
            "der" if form == _DER else "not-pem", name, f"holds {form}, and OpenSSL reads only PEM here", _SPLIT
        )
    return Problem("no-certificate", name, "holds no certificate and no CRL", "remove it, or rename it")


_DER = "a DER certificate"


def _binary_form(data: bytes) -> str:
    if looks_like_pkcs12(data):
        return "PKCS #12"
    if looks_like_pkcs7(data):
        return "PKCS #7"
    for parse, form in ((parse_certificate, _DER), (parse_crl, "a DER CRL")):
        try:
            parse(data, trailing=True)
        except MalformedError:
            continue
        return form
    return ""


def _told(name: str, data: bytes, objects: Objects) -> list[Problem]:
    """Warnings about a file that is linked all the same."""
    found = [_spoilt(name, line) for line in objects.spoilt]
    blocks = len(objects.certificates) + len(objects.crls) + len(objects.keys) + len(objects.others)
    if data.count(_BEGIN) != blocks:
        found += [_not_trusted(name, block.line) for block in unrecognized_begin_lines(data)]
    return found


def _spoilt(name: str, line: int) -> Problem:
    message = f"octets follow the certificate of line {line}, and OpenSSL cannot load it from a directory"
    return Problem("pem-octets-behind", name, message, "rootfs-trust install writes the certificate alone")


def _not_trusted(name: str, line: int) -> Problem:
    message = f"OpenSSL does not see the BEGIN line {line}"
    return Problem("pem-unseen", name, message, "what follows it is not trusted")


def links(entries: Iterable[HashedFile], styles: Iterable[str] = ("new",)) -> dict[str, str]:
    """Names of the links and the files they point to.

    ``styles`` says which hashes name links: ``new`` (since OpenSSL 1.0.0), ``old``, or both. Of several copies
    of one certificate the file whose name comes first is linked.
    """
    styles = tuple(styles)
    made: dict[str, str] = {}
    numbers: dict[tuple[str, str], int] = {}
    seen: set[tuple[str, str, str]] = set()
    for entry, linkable in _in_order(entries):
        for style in styles:
            digits = linkable.found_by.hash if style == "new" else linkable.found_by.hash_old
            suffix = "r" if linkable.kind == "crl" else ""
            if (suffix, digits, linkable.fingerprint) in seen:
                continue
            seen.add((suffix, digits, linkable.fingerprint))
            number = numbers.get((suffix, digits), 0)
            numbers[suffix, digits] = number + 1
            made[f"{digits}.{suffix}{number}"] = entry.name
    return made


def duplicates(entries: Iterable[HashedFile]) -> list[Problem]:
    """A warning for each certificate or CRL that another file holds too, whose name comes first."""
    first: dict[tuple[str, str], str] = {}
    found = []
    for entry, linkable in _in_order(entries):
        holder = first.setdefault((linkable.kind, linkable.fingerprint), entry.name)
        if holder != entry.name:
            thing = "certificate" if linkable.kind == "certificate" else "CRL"
            found.append(Problem("duplicate", entry.name, f"holds the same {thing} as {holder}", "remove one"))
    return found


def _in_order(entries: Iterable[HashedFile]) -> Iterator[tuple[HashedFile, Linkable]]:
    """What is to be linked, in byte order of the file names."""
    for entry in sorted(entries, key=lambda entry: entry.name.encode("utf-8", "surrogateescape")):
        for linkable in entry.linkables:
            yield entry, linkable


if TYPE_CHECKING:  # rehash has no sources, and starts quicker without what they import
    from rootfs_trust.store.source_file import Source


def hash_directory(
    view: View, folder: str, links: Mapping[str, tuple[str, Source]], *, bundle: str, stale: Iterable[str]
) -> dict[str, Symlink | Absent]:
    """What the hash directory ``folder`` of a store should hold of ours, in the order of writing.

    ``links`` gives for the name of each of our links its text and its source; ``stale`` are names of links of
    ours that have to go. Files of others stay, and get their hash links as ``openssl rehash`` gives them; the
    file called ``bundle`` gets none, even when it holds a single certificate.
    """
    gone = {name for name in stale if name not in links and name != bundle}
    others = [name for name in view.names(folder) if name not in links and name not in gone and name != bundle]
    entries = [_entry_of_source(name, source) for name, (_, source) in links.items()]
    entries += (entry for entry in _entries(view, folder, others) if entry.linkables)
    nodes: dict[str, Symlink | Absent] = {join(folder, name): Symlink(text) for name, (text, _) in links.items()}
    nodes |= _links(view, folder, entries, ("new",))
    return nodes | {join(folder, name): Absent() for name in sorted(gone, key=as_bytes)}


def hash_links(
    view: View, folder: str, files: Mapping[str, Source], before: Iterable[str]
) -> dict[str, Symlink | Absent]:
    """The hash links of ``folder`` over its ``files``, and those that have to go.

    A hash link of somebody else's stays, perhaps with another number: one to a file that is none of ``files``, and was
    none ``before`` this run either.
    """
    entries = [_entry_of_source(name, source) for name, source in files.items()]
    return _links(view, folder, [*entries, *_linked_by_others(view, folder, {*files, *before})], ("new",))


def _linked_by_others(view: View, folder: str, ours: Iterable[str]) -> Iterator[HashedFile]:
    """What the hash links of a directory lead to besides the files ``ours``, each under the text of its link."""
    links = (_link(view, join(folder, name)) for name in filter(is_hash_link_name, view.names(folder)))
    texts = {link.points_to for link in links if link} - {each for name in ours for each in (name, join(folder, name))}
    for text in sorted(texts, key=as_bytes):
        data = read(view, text if text.startswith("/") else join(folder, text))
        entry = read_entry(text, data) if data is not None else None
        if entry is not None and entry.linkables:
            yield entry


def _link(view: View, path: str) -> Symlink | None:
    node = view.node(path)
    return node if isinstance(node, Symlink) else None


def links_into(view: View, folder: str, targets: tuple[str, ...]) -> Iterator[str]:
    """The names of links in ``folder`` whose text begins with one of ``targets``."""
    for name, path in ((name, join(folder, name)) for name in view.names(folder)):
        if view.kind(path, follow=False) is Symlink:
            node = view.node(path)
            if isinstance(node, Symlink) and node.points_to.startswith(targets):
                yield name


def rehashed(view: View, folder: str, styles: Iterable[str]) -> tuple[dict[str, Symlink | Absent], list[Problem]]:
    """The hash links that ``folder`` should have, those that have to go, and what is to be told of its files."""
    entries = list(_entries(view, folder, view.names(folder)))
    warnings = [warning for entry in entries for warning in entry.warnings] + duplicates(entries)
    told = [replace(warning, path=join(folder, warning.path)) for warning in warnings]
    return _links(view, folder, entries, styles), told


def _links(
    view: View, folder: str, entries: Iterable[HashedFile], styles: Iterable[str]
) -> dict[str, Symlink | Absent]:
    wanted = links(entries, styles)
    nodes: dict[str, Symlink | Absent] = {
        join(folder, name): Symlink(wanted[name]) for name in sorted(wanted, key=_higher_numbers_first)
    }
    old = (join(folder, name) for name in view.names(folder) if is_hash_link_name(name) and name not in wanted)
    return nodes | {path: Absent() for path in old if view.kind(path, follow=False) is Symlink}


def _entries(view: View, folder: str, names: Iterable[str]) -> Iterator[HashedFile]:
    """What each file of ``names`` that may hold a certificate gives to the directory."""
    for name in filter(rehashable, names):
        path = join(folder, name)
        data = read(view, path)
        if data is not None:
            yield read_entry(name, data)
        else:
            yield HashedFile(name, (), (_no_file(name, view.kind(path)),))


def _no_file(name: str, kind: type[Node] | None) -> Problem:
    if kind is None:
        return Problem("dangling-link", name, "is a link that leads nowhere", "remove it, or bring its file back")
    what = "a folder" if kind is Directory else "no regular file"
    return Problem("no-file", name, f"is {what}, and gets no link", "rename it")


def _entry_of_source(name: str, source: Source) -> HashedFile:
    if source.clean:
        return entry_of(name, source.certificates[0])
    # An untidy source was told already; here it only matters what OpenSSL makes of it.
    return read_entry(name, source.data)


def _higher_numbers_first(name: str) -> tuple[str, int]:
    """So that a certificate whose number grows has its new link before its old one is given to another."""
    value, _, number = name.partition(".")
    return value, -int(number.lstrip("r"))
