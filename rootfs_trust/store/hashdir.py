"""Which links a hash directory should have, worked out from the names and contents of its files alone.

OpenSSL finds a certificate in a directory by the hash of its subject: HASH.0, HASH.1, ... until one is missing; a
CRL by the hash of its issuer: HASH.r0 and so on (by_dir.c). What is linked, and how, follows `openssl rehash`
(apps/rehash.c), save that the links are a function of the files: numbers are dense, in byte order of the file
names, and do not depend on links that were there before.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from rootfs_trust.errors import MalformedError, Trouble
from rootfs_trust.x509 import (
    Certificate,
    CertificateList,
    Name,
    Objects,
    looks_like_pkcs7,
    looks_like_pkcs12,
    looks_like_private_key_der,
    overlooked,
    parse_certificate,
    parse_crl,
    read_objects,
)

_EXTENSIONS = frozenset(("pem", "crt", "cer", "crl"))
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


class Entry(NamedTuple):
    """A file of the directory: its name, what of it gets links, and what is to be told about it."""

    name: str
    linkables: tuple[Linkable, ...] = ()
    warnings: tuple[Trouble, ...] = ()


def is_hash_link_name(name: str) -> bool:
    """Whether `openssl rehash` takes a symbolic link of this name for one of its own.

    Eight hexadecimal digits, a dot, perhaps an ``r``, and whatever strtoul reads as a number: badly written ones
    (``ABCDEF01.007``, ``abcdef01.R0``, ``abcdef01.+1``, ``abcdef01.r``) are never looked up, but they are hash
    links all the same and to be put right.
    """
    if name[8:9] != "." or not _HEX_DIGITS.issuperset(name[:8]):
        return False
    number = name[10:] if name[9:10] in ("r", "R") else name[9:]
    digits = number.lstrip(" \t\n\v\f\r")
    digits = digits[1:] if digits[:1] in ("+", "-") else digits
    return not number or (digits.isascii() and digits.isdigit())


def rehashable(name: str) -> bool:
    """Whether the extension of a file says that it may hold a certificate or CRL: pem, crt, cer, crl, any case."""
    _, dot, extension = name.rpartition(".")
    return bool(dot) and extension.lower() in _EXTENSIONS


def read_entry(name: str, data: bytes) -> Entry:
    """What a file gives to the directory: one certificate, one CRL or one of each. Never raises."""
    objects = read_objects(data)
    refused = _refusal(name, data, objects)
    if refused:
        return Entry(name, (), (refused,))
    found: list[Certificate | CertificateList] = [certificate for _, certificate in objects.certificates]
    if objects.crls:
        found += [crl for _, crl in objects.crls]
    return Entry(name, tuple([_linkable(each) for each in found]), tuple(_told(name, data, objects)))


def entry_of(name: str, found: Certificate | CertificateList) -> Entry:
    """An entry for a file whose one certificate or CRL is at hand."""
    return Entry(name, (_linkable(found),))


def _linkable(found: Certificate | CertificateList) -> Linkable:
    if isinstance(found, Certificate):
        return Linkable("certificate", found.sha256, found.subject)
    return Linkable("crl", found.sha256, found.issuer)


def _refusal(name: str, data: bytes, objects: Objects) -> Trouble | None:
    """Why nothing of a file is linked, None if something is.

    A second key counts too: OpenSSL takes what stands behind it for a second thing.
    """
    if objects.bad:
        bad = objects.bad[0]
        label = bad.label if bad.label.isprintable() else ascii(bad.label)
        message = f"the {label} block at line {bad.line} cannot be read: {bad.reason}"
        return Trouble("bad-block", name, message, "OpenSSL gives up on the whole file; mend or remove the block")
    if len(objects.certificates) > 1 or len(objects.crls) > 1 or len(objects.keys) > 1:
        return Trouble("several-objects", name, "holds more than one certificate, CRL or key", _SPLIT)
    if objects.certificates or objects.crls:
        return None
    return _nothing_found(name, data, objects)


def _nothing_found(name: str, data: bytes, objects: Objects) -> Trouble:
    if objects.keys or looks_like_private_key_der(data):
        return Trouble("private-key", name, "holds a private key and no certificate", "keep it elsewhere")
    missed = overlooked(data)
    if missed:
        message = f"OpenSSL does not see the BEGIN line {missed[0].line}"
        return Trouble("overlooked", name, message, "each BEGIN must begin a line of ASCII text that ends with LF")
    form = _binary_form(data)
    if form:
        return Trouble("not-pem", name, f"holds {form}, and OpenSSL reads only PEM here", _SPLIT)
    return Trouble("no-object", name, "holds no certificate and no CRL", "remove it, or rename it")


def _binary_form(data: bytes) -> str:
    if looks_like_pkcs12(data):
        return "PKCS #12"
    if looks_like_pkcs7(data):
        return "PKCS #7"
    for parse, form in ((parse_certificate, "a DER certificate"), (parse_crl, "a DER CRL")):
        try:
            parse(data, trailing=True)
        except MalformedError:
            continue
        return form
    return ""


def _told(name: str, data: bytes, objects: Objects) -> list[Trouble]:
    """Warnings about a file that is linked all the same."""
    found = [_spoilt(name, line) for line in objects.spoilt]
    blocks = len(objects.certificates) + len(objects.crls) + len(objects.keys) + len(objects.others)
    if data.count(_BEGIN) != blocks:
        found += [_not_trusted(name, block.line) for block in overlooked(data)]
    return found


def _spoilt(name: str, line: int) -> Trouble:
    message = f"octets follow the certificate of line {line}, and OpenSSL cannot load it from a directory"
    return Trouble("octets-behind", name, message, "rootfs-trust install writes the certificate alone")


def _not_trusted(name: str, line: int) -> Trouble:
    message = f"OpenSSL does not see the BEGIN line {line}"
    return Trouble("overlooked", name, message, "what follows it is not trusted")


def links(entries: Iterable[Entry], styles: Iterable[str] = ("new",)) -> dict[str, str]:
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


def duplicates(entries: Iterable[Entry]) -> list[Trouble]:
    """A warning for each certificate or CRL that another file holds too, whose name comes first."""
    first: dict[tuple[str, str], str] = {}
    found = []
    for entry, linkable in _in_order(entries):
        holder = first.setdefault((linkable.kind, linkable.fingerprint), entry.name)
        if holder != entry.name:
            thing = "certificate" if linkable.kind == "certificate" else "CRL"
            found.append(Trouble("duplicate", entry.name, f"holds the same {thing} as {holder}", "remove one"))
    return found


def _in_order(entries: Iterable[Entry]) -> Iterator[tuple[Entry, Linkable]]:
    """What is to be linked, in byte order of the file names."""
    for entry in sorted(entries, key=lambda entry: entry.name.encode("utf-8", "surrogateescape")):
        for linkable in entry.linkables:
            yield entry, linkable
