"""Compute the links of a hash directory from the names and contents of its files.

OpenSSL looks up a certificate in a directory by the hash of its subject: HASH.0, HASH.1, ... until one is missing; a
CRL by the hash of its issuer: HASH.r0 and so on (by_dir.c). The rules are those of `openssl rehash` (apps/rehash.c),
with one difference: the links depend only on the files. Numbers have no gaps and follow the byte order of the file
names, whatever links existed before.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, NamedTuple

from rootfs_trust.errors import (
    DANGLING_LINK,
    DER,
    DUPLICATE,
    NO_CERTIFICATE,
    NO_FILE,
    NOT_PEM,
    PEM_MALFORMED,
    PEM_OCTETS_BEHIND,
    PEM_UNSEEN,
    PRIVATE_KEY,
    SEVERAL_CERTIFICATES,
    MalformedError,
    Problem,
)
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
"""Names that OpenSSL looks up in a hash directory (by_dir.c prints "%08lx.%s%d"): hash, ``r`` for a CRL, number."""

_HEX_DIGITS = frozenset("0123456789abcdefABCDEF")
_BEGIN = b"-----BEGIN "
_SPLIT = "rootfs-trust install splits and converts such files"


class Linkable(NamedTuple):
    """A certificate or CRL that gets a link.

    ``kind``         ``certificate`` or ``crl``.
    ``fingerprint``  equal for copies of one certificate or CRL.
    ``found_by``     the name whose hash names the link: of the certificate's subject, or of the CRL's issuer.
    """

    kind: str
    fingerprint: str
    found_by: Name


class HashedFile(NamedTuple):
    """A file of the directory: its name, its certificates and CRLs that get links, and warnings about it."""

    name: str
    linkables: tuple[Linkable, ...] = ()
    warnings: tuple[Problem, ...] = ()


def is_hash_link_name(name: str) -> bool:
    """Return whether `openssl rehash` takes a symbolic link of this name for a hash link.

    That is: eight hexadecimal digits, a dot, an optional ``r``, and whatever strtoul parses as a number. OpenSSL never
    looks up malformed ones (``ABCDEF01.007``, ``abcdef01.R0``, ``abcdef01.+1``, ``abcdef01.r``), but they still count
    as hash links and are replaced. A negative number does not count.
    """
    if name[8:9] != "." or not _HEX_DIGITS.issuperset(name[:8]):
        return False
    number = name[10:] if name[9:10] in ("r", "R") else name[9:]
    digits = number.lstrip(" \t\n\v\f\r")
    digits = digits.removeprefix("+")
    return not number or (digits.isascii() and digits.isdigit())


def is_looked_up(name: str) -> bool:
    """Return whether OpenSSL may look up a certificate under this name: a hash and a number."""
    link = LOOKED_UP.fullmatch(name)
    return link is not None and not link[2]


def is_looked_up_first(name: str) -> bool:
    """Return whether OpenSSL starts the lookup of a certificate with this name: a hash and the number 0."""
    link = LOOKED_UP.fullmatch(name)
    return link is not None and link.group(2, 3) == ("", "0")


def rehashable(name: str) -> bool:
    """Return whether the extension is one of certificates and CRLs: pem, crt, cer or crl, in any case."""
    _, dot, extension = name.rpartition(".")
    return bool(dot) and extension.lower() in _EXTENSIONS


def read_entry(name: str, data: bytes) -> HashedFile:
    """Parse a file of the directory: one certificate, one CRL or one of each get links. Never raises."""
    objects = read_objects(data)
    refused = _refusal(name, data, objects)
    if refused:
        return HashedFile(name, (), (refused,))
    found: list[Certificate | CertificateList] = [certificate for _, certificate in objects.certificates]
    if objects.crls:
        found += [crl for _, crl in objects.crls]
    return HashedFile(name, tuple([_linkable(each) for each in found]), tuple(_file_warnings(name, data, objects)))


def entry_of(name: str, found: Certificate | CertificateList) -> HashedFile:
    """Return the entry of a file whose only certificate or CRL has already been parsed."""
    return HashedFile(name, (_linkable(found),))


def _linkable(found: Certificate | CertificateList) -> Linkable:
    if isinstance(found, Certificate):
        return Linkable("certificate", found.sha256, found.subject)
    return Linkable("crl", found.sha256, found.issuer)


def _refusal(name: str, data: bytes, objects: Objects) -> Problem | None:
    """Return the reason why nothing in a file gets a link, or None if something does. A second private key is also a
    reason, because OpenSSL treats what follows it as a second object.
    """
    if objects.bad:
        bad = objects.bad[0]
        label = bad.label if bad.label.isprintable() else ascii(bad.label)
        message = f"the {label} block at line {bad.line} cannot be read: {bad.reason}"
        return PEM_MALFORMED(name, message, "OpenSSL skips the whole file; fix or remove the block")
    if len(objects.certificates) > 1 or len(objects.crls) > 1 or len(objects.keys) > 1:
        return SEVERAL_CERTIFICATES(name, "contains more than one certificate, CRL or key", _SPLIT)
    if objects.certificates or objects.crls:
        return None
    return _nothing_found(name, data, objects)


def _nothing_found(name: str, data: bytes, objects: Objects) -> Problem:
    if objects.keys or private_key_form(data):
        return PRIVATE_KEY(name, "contains a private key and no certificate", "keep it elsewhere")
    missed = unrecognized_begin_lines(data)
    if missed:
        message = f"OpenSSL does not see the BEGIN line {missed[0].line}"
        return PEM_UNSEEN(name, message, "each BEGIN must begin a line of ASCII text that ends with LF")
    form = _binary_form(data)
    if form:
        found = DER if form == _DER else NOT_PEM
        return found(name, f"contains {form}, and OpenSSL reads only PEM here", _SPLIT)
    return NO_CERTIFICATE(name, "contains no certificate and no CRL", "remove it, or rename it")


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


def _file_warnings(name: str, data: bytes, objects: Objects) -> list[Problem]:
    """Return warnings about a file that gets links."""
    what = "and OpenSSL cannot load it from a directory"
    found = [PEM_OCTETS_BEHIND(name, f"bytes follow the certificate of line {line}, {what}") for line in objects.spoilt]
    blocks = len(objects.certificates) + len(objects.crls) + len(objects.keys) + len(objects.others)
    if data.count(_BEGIN) != blocks:
        hint = "what follows it is not trusted"
        lines = [block.line for block in unrecognized_begin_lines(data)]
        found += [PEM_UNSEEN(name, f"OpenSSL does not see the BEGIN line {line}", hint) for line in lines]
    return found


def links(entries: Iterable[HashedFile], styles: Iterable[str] = ("new",)) -> dict[str, str]:
    """Return the target of each hash link, by link name.

    ``styles`` selects the hashes: ``new`` (since OpenSSL 1.0.0), ``old``, or both. If several files contain the same
    certificate, the first one by name is linked.
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
    """Return a warning for each certificate or CRL that a file with an earlier name also contains."""
    first: dict[tuple[str, str], str] = {}
    found = []
    for entry, linkable in _in_order(entries):
        holder = first.setdefault((linkable.kind, linkable.fingerprint), entry.name)
        if holder != entry.name:
            thing = "certificate" if linkable.kind == "certificate" else "CRL"
            found.append(DUPLICATE(entry.name, f"contains the same {thing} as {holder}", "remove one"))
    return found


def _in_order(entries: Iterable[HashedFile]) -> Iterator[tuple[HashedFile, Linkable]]:
    """Yield the certificates and CRLs that get links, in byte order of the file names."""
    for entry in sorted(entries, key=lambda entry: entry.name.encode("utf-8", "surrogateescape")):
        for linkable in entry.linkables:
            yield entry, linkable


if TYPE_CHECKING:  # imported here because rehash has no sources, and starts faster without it
    from rootfs_trust.store.source_file import Source


def hash_directory(
    view: View, folder: str, links: Mapping[str, tuple[str, Source]], *, bundle: str, stale: Iterable[str]
) -> dict[str, Symlink | Absent]:
    """Return the links that a run writes to the hash directory ``folder``, and those to delete, in order of writing.

    ``links`` maps the name of each link of the store to its target and its source. ``stale`` are names of links of the
    store to delete. Foreign files stay, and get hash links as from ``openssl rehash``. The file called ``bundle`` gets
    none, even if it contains a single certificate.
    """
    removed = {name for name in stale if name not in links and name != bundle}
    foreign = [name for name in view.names(folder) if name not in links and name not in removed and name != bundle]
    entries = [_entry_of_source(name, source) for name, (_, source) in links.items()]
    entries += (entry for entry in _entries(view, folder, foreign) if entry.linkables)
    nodes: dict[str, Symlink | Absent] = {join(folder, name): Symlink(text) for name, (text, _) in links.items()}
    nodes |= _links(view, folder, entries, ("new",))
    return nodes | {join(folder, name): Absent() for name in sorted(removed, key=as_bytes)}


def hash_links(
    view: View, folder: str, files: Mapping[str, Source], before: Iterable[str]
) -> dict[str, Symlink | Absent]:
    """Return the hash links of ``folder`` for its ``files``, and those to delete.

    Foreign hash links stay, perhaps with another number: those to a file that is neither in ``files`` nor was one
    ``before`` this run.
    """
    entries = [_entry_of_source(name, source) for name, source in files.items()]
    return _links(view, folder, [*entries, *_foreign_entries(view, folder, {*files, *before})], ("new",))


def _foreign_entries(view: View, folder: str, known: Iterable[str]) -> Iterator[HashedFile]:
    """Yield an entry for each target of a hash link, under the text of the link. The files ``known`` are omitted."""
    links = (_link(view, join(folder, name)) for name in filter(is_hash_link_name, view.names(folder)))
    texts = {link.points_to for link in links if link} - {each for name in known for each in (name, join(folder, name))}
    for text in sorted(texts, key=as_bytes):
        data = read(view, text if text.startswith("/") else join(folder, text))
        entry = read_entry(text, data) if data is not None else None
        if entry is not None and entry.linkables:
            yield entry


def _link(view: View, path: str) -> Symlink | None:
    node = view.node(path)
    return node if isinstance(node, Symlink) else None


def links_into(view: View, folder: str, prefixes: tuple[str, ...]) -> Iterator[str]:
    """Yield the names of links in ``folder`` whose target begins with one of ``prefixes``."""
    for name, path in ((name, join(folder, name)) for name in view.names(folder)):
        if view.kind(path, follow=False) is Symlink:
            node = view.node(path)
            if isinstance(node, Symlink) and node.points_to.startswith(prefixes):
                yield name


def rehashed(view: View, folder: str, styles: Iterable[str]) -> tuple[dict[str, Symlink | Absent], list[Problem]]:
    """Return the hash links that ``folder`` should have, those to delete, and warnings about its files."""
    entries = list(_entries(view, folder, view.names(folder)))
    warnings = [warning for entry in entries for warning in entry.warnings] + duplicates(entries)
    in_directory = [warning._replace(path=join(folder, warning.path)) for warning in warnings]
    return _links(view, folder, entries, styles), in_directory


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
    """Yield the entries of the files in ``names`` that may contain a certificate."""
    for name in filter(rehashable, names):
        path = join(folder, name)
        data = read(view, path)
        if data is not None:
            yield read_entry(name, data)
        else:
            yield HashedFile(name, (), (_no_file(name, view.kind(path)),))


def _no_file(name: str, kind: type[Node] | None) -> Problem:
    if kind is None:
        return DANGLING_LINK(name, "is a dangling link")
    what = "a directory" if kind is Directory else "not a regular file"
    return NO_FILE(name, f"is {what} and gets no link")


def _entry_of_source(name: str, source: Source) -> HashedFile:
    if source.clean:
        return entry_of(name, source.certificates[0])
    # The caller warns about a malformed source; here only OpenSSL's reading of it matters.
    return read_entry(name, source.data)


def _higher_numbers_first(name: str) -> tuple[str, int]:
    """Sort key: higher numbers first. So a certificate whose number grows gets its new link before another one gets its
    old link name.
    """
    value, _, number = name.partition(".")
    return value, -int(number.lstrip("r"))
