"""Debian's store for Java, as the hook of ca-certificates-java writes it after update-ca-certificates. Pure.

The facts are those of ca-certificates-java 20230710 (bookworm) and 20240118 (trixie), whose postinst and
UpdateCertificates program do the same:

- the store is a JKS file; an entry's alias is ``debian:`` and the name of the ``.pem`` link, in small letters;
- after ``--fresh`` an entry ``debian:...`` without a link goes, and every other alias is somebody else's and stays;
- of two links whose names differ only in case, the later one in byte order wins;
- two links to the same certificate give two entries;
- of a file with several certificates the first one is taken; one that Java cannot read is left out;
- nothing is done unless ``cacerts_updates=yes`` in /etc/default/cacerts, which also holds the password, nor where
  no Java is installed.

Two things differ, since the same input has to give the same bytes. The real tool dates every entry anew; here one
whose certificate stays keeps its date. And entries come out of the JDK's hash table, where they stand depends on
all the runs before; here they stand as a first run on an empty store leaves them: the first run of the real tool
gives the same bytes but for the dates, and adding and taking away again gives back what was there.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from rootfs_trust import x509
from rootfs_trust.errors import MalformedError, Problem
from rootfs_trust.rootfs.view import File, Symlink, View, as_bytes, join, read
from rootfs_trust.store.jks import PASSWORD, KeystoreEntry, read_keystore, write_keystore
from rootfs_trust.store.source_file import Source
from rootfs_trust.x509.certificate import read_extensions, take_explicit_extensions
from rootfs_trust.x509.der import OID, DerReader

STORE = "/etc/ssl/certs/java/cacerts"
HOOK = "/etc/ca-certificates/update.d/jks-keystore"
SETTINGS = "/etc/default/cacerts"

_PREFIX = "debian:"
_JVMS = "/usr/lib/jvm"
_VERSION, _UNIQUE_IDS, _EXTENSIONS = 0x80, {0x81, 0x82}, 0x83  # fields of TBSCertificate (RFC 5280, 4.1)
_BASIC_CONSTRAINTS, _KEY_USAGE = bytes.fromhex("551d13"), bytes.fromhex("551d0f")
_SM2 = bytes.fromhex("2a811ccf5501822d")


def debian_java_store(
    view: View, links: Mapping[str, Source], created: int | None = None
) -> tuple[dict[str, File], list[Problem]]:
    """The Java store that belongs to the ``.pem`` links of a hash directory, and what is to be told of it.

    ``links`` maps the name of each link to the file that it leads to. ``created`` is the date of new entries, in
    seconds since 1970; without it they get the latest date of the store that is there, else 0: this room has no
    clock, and a date that only tells when the program ran would make each run's bytes differ.
    Empty where the hook of the device would write nothing.
    """
    place = _place(view)
    if isinstance(place, Problem):
        return {}, [place]
    if place is None:
        return {}, []
    try:
        old = [] if place.data is None else read_keystore(place.data, place.password)
    except MalformedError as error:
        return {}, [_unread(error.message)]
    wanted, warnings = _certificates(links)
    if not wanted and place.data is None:  # the hook has nothing to hand to Java then
        return {}, warnings
    entries = _entries(old, wanted, created)
    return {place.path: File(write_keystore(entries, place.password))}, warnings


# -- where, and whether ------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Place:
    """Where the store is, free of links, what it holds now if it is there, and its password."""

    path: str
    data: bytes | None
    password: str


def _place(view: View) -> _Place | Problem | None:
    """Where to write; or what keeps us from it; or None where there is no Java store to be kept."""
    data = read(view, STORE)
    if data is None and view.kind(STORE, follow=False) is not None:
        return _in_the_way(view)
    hooked = view.kind(HOOK) is File
    if data is None and not (hooked and _has_java(view)):
        return None
    settings = _settings(view) if hooked else {"cacerts_updates": "yes"}
    if settings.get("cacerts_updates") != "yes":
        return None if data is None else _frozen()
    password = settings.get("storepass", PASSWORD)
    if password is None:
        return _unread(f"its password in {SETTINGS} is more than plain text, and no shell runs here")
    return _Place(view.real_path(STORE) or STORE, data, password)


def _has_java(view: View) -> bool:
    """Whether a Java is there, also one that is unpacked and not configured, with no link from /usr/bin yet."""
    places = ["/usr/bin/java", *(f"{join(_JVMS, name)}/bin/java" for name in view.names(_JVMS))]
    return any(view.kind(place) is File for place in places)


def _settings(view: View) -> dict[str, str | None]:
    """The variables that the shell file sets; None for one whose value only a shell could tell."""
    text = (read(view, SETTINGS) or b"").decode("utf-8", "replace")
    found = re.findall(r"^[ \t]*(?:export[ \t]+)?(cacerts_updates|storepass)=(.*)$", text, re.MULTILINE)
    return {name: _plain(value) for name, value in found}


def _plain(value: str) -> str | None:
    """What the shell makes of the right side of an assignment, if no more than quotes and a comment are there."""
    outside = re.sub(r"'[^']*'", "", value)
    try:
        words = shlex.split(value, comments=True)
    except ValueError:
        return None
    if len(words) > 1 or any(char in outside for char in "$`\\;&|<>()"):
        return None
    return words[0] if words else ""


# -- what ------------------------------------------------------------------------------------------------


def _certificates(links: Mapping[str, Source]) -> tuple[dict[str, bytes], list[Problem]]:
    """DER by alias, in the order in which the hook hands the links to Java."""
    wanted: dict[str, bytes] = {}
    warnings: list[Problem] = []
    for name in sorted(links, key=as_bytes):
        reason = _refused(name, links[name])
        if reason:
            warnings.append(_left_out(links[name], reason))
        else:
            alias = _PREFIX + name.lower()
            wanted.pop(alias, None)  # replacing means taking out and putting in again, at another place
            wanted[alias] = links[name].certificates[0].der
    return wanted, warnings


def _refused(name: str, source: Source) -> str:
    """Why Java would not take the certificate of a link, or empty."""
    if any("\udc80" <= char <= "\udcff" for char in name):  # octets that are no UTF-8, by surrogateescape
        return "its name is no UTF-8"
    if source.fault or not source.certificates:
        return f"it {source.fault or 'holds no certificate'}"
    certificate = source.certificates[0]
    first = x509.blocks(source.data)[0]
    if isinstance(first, x509.BadBlock) or first.der != certificate.der:  # Java asks for no label
        return "more or other than a certificate stands in its first block"
    return refused_by_java(certificate)


def refused_by_java(certificate: x509.Certificate) -> str:
    """Why Java refuses a certificate that OpenSSL takes, or empty: one such entry would cost Java the whole store.

    Found with OpenJDK 17 (sun.security.x509: X509CertInfo, CertificateValidity, CertificateExtensions; and
    sun.security.util.CurveDB). Refused more than need be are curves that are hardly ever used, and an empty subject
    that an alternative name stands for; points that are on no curve, and extensions other than the two that every
    CA has, are not looked into.
    """
    try:
        return _refusal(certificate)
    except MalformedError:  # OpenSSL asks less of some elements than DER does
        return "it is not well made"


def _refusal(certificate: x509.Certificate) -> str:
    tail, extensions = _tail(certificate)
    if (_EXTENSIONS in tail and certificate.version != 3) or (tail & _UNIQUE_IDS and certificate.version < 2):
        return f"it is of version {certificate.version}, and has what that may not have"
    if len({oid for oid, _ in extensions}) < len(extensions):
        return "an extension stands in it twice"
    may_be_nameless = (
        certificate.version > 1 and _EXTENSIONS not in tail
    )  # X509CertInfo.parse: verifyCert is not reached
    if not certificate.issuer.canonical or not (certificate.subject.canonical or may_be_nameless):
        return "a name in it is empty"
    if certificate.not_before is None or certificate.not_after is None:
        return "a date in it is none"
    return _unreadable_extension(certificate, {oid for oid, _ in extensions}) or _unreadable_key(certificate)


def _unreadable_extension(certificate: x509.Certificate, there: set[bytes]) -> str:
    if _BASIC_CONSTRAINTS in there and certificate.basic_constraints is None:
        return "its basicConstraints cannot be read"
    if _KEY_USAGE in there and certificate.key_usage is None:
        return "its keyUsage cannot be read"
    return ""


def _unreadable_key(certificate: x509.Certificate) -> str:
    """RSA and EC keys that make no sense, and curves that are spelled out, are refused; unknown algorithms are not."""
    if certificate.key_algorithm not in ("RSA", "EC"):
        return ""
    if certificate.key_bits is None:
        return "its key, or the curve of its key, is not known"
    parameters = _key_parameters(certificate)
    if certificate.key_algorithm == "EC" and parameters.next_tag() != OID:
        return "the curve of its key is spelled out, not named"
    if certificate.key_algorithm == "EC" and parameters.oid() == _SM2:
        return "the curve of its key is SM2"
    return ""


def _key_parameters(certificate: x509.Certificate) -> DerReader:
    """At the parameters of the key's algorithm."""
    body = DerReader(certificate.der).enter().enter()
    for _ in range(6 if body.next_tag() == _VERSION else 5):  # up to the subject
        body.any()
    algorithm = body.enter().enter()
    algorithm.oid()
    return algorithm


def _tail(certificate: x509.Certificate) -> tuple[set[int], list[tuple[bytes, bytes]]]:
    """The tags of the fields of the signed part up to the extensions, and those."""
    body = DerReader(certificate.der).enter().enter()
    tags = {body.next_tag()}
    while body.more() and body.next_tag() != _EXTENSIONS:
        body.any()
        tags.add(body.next_tag())
    return tags, read_extensions(take_explicit_extensions(body, _EXTENSIONS))


# -- order and dates ---------------------------------------------------------------------------------------


def _entries(old: list[KeystoreEntry], wanted: Mapping[str, bytes], created: int | None) -> list[KeystoreEntry]:
    """Entries of others as they are, then ours, dated, in the order in which the JDK's hash table gives them."""
    new_date = created * 1000 if created is not None else max((entry.created_ms for entry in old), default=0)
    dates = {(entry.alias, entry.der): entry.created_ms for entry in old}
    others = {entry.alias: entry for entry in old if not entry.alias.lower().startswith(_PREFIX)}
    entries = {alias: others[alias] for alias in sorted(others)}
    entries |= {alias: KeystoreEntry(alias, dates.get((alias, der), new_date), der) for alias, der in wanted.items()}
    return [entries[alias] for alias in hashtable_order(entries)]


def hashtable_order(keys: Iterable[str]) -> list[str]:
    """The order in which java.util.Hashtable gives keys that were put into it one after the other.

    By its documentation it starts with 11 buckets and is rehashed beyond three quarters; OpenJDK's grows to twice
    as many and one, puts what is new first in its bucket, moves buckets from the last to the first, and is
    enumerated from the last bucket to the first.
    """
    buckets: list[list[str]] = [[] for _ in range(11)]
    for count, key in enumerate(keys):
        if count >= len(buckets) * 3 // 4:
            buckets = _grown(buckets)
        buckets[_bucket(key, buckets)].insert(0, key)
    return [key for bucket in reversed(buckets) for key in bucket]


def _grown(buckets: list[list[str]]) -> list[list[str]]:
    grown: list[list[str]] = [[] for _ in range(2 * len(buckets) + 1)]
    for bucket in reversed(buckets):
        for key in bucket:
            grown[_bucket(key, grown)].insert(0, key)
    return grown


def _bucket(key: str, buckets: list[list[str]]) -> int:
    """java.lang.String.hashCode: s[0]*31^(n-1) + ... + s[n-1] over UTF-16, in 32 bits; its sign is dropped."""
    units = key.encode("utf-16-be", "surrogatepass")
    value = 0
    for high, low in zip(units[::2], units[1::2], strict=True):
        value = (value * 31 + (high << 8 | low)) & 0xFFFFFFFF
    return (value & 0x7FFFFFFF) % len(buckets)


# -- telling -----------------------------------------------------------------------------------------------


def _unread(reason: str) -> Problem:
    return Problem(
        "java-store-format",
        STORE,
        f"{reason}; it is left alone, and Java does not see this change",
        "remove it, and it is written anew; or change it with keytool on the device",
    )


def _in_the_way(view: View) -> Problem:
    what = "a link that leads nowhere" if view.kind(STORE, follow=False) is Symlink else "no regular file"
    return _unread(f"is {what}")


def _frozen() -> Problem:
    return Problem(
        "java-store-frozen",
        STORE,
        f"is not kept up to date, since {SETTINGS} does not say cacerts_updates=yes; Java does not see this change",
        "set cacerts_updates=yes, or change the store with keytool on the device",
    )


def _left_out(source: Source, reason: str) -> Problem:
    return Problem(
        "java-refuses",
        source.path,
        f"is left out of {STORE}, since {reason}: Java refuses it",
        "get a certificate that is well made",
    )
