"""Debian's Java keystore, as the hook of ca-certificates-java writes it after update-ca-certificates.

The facts are those of ca-certificates-java 20230710 (bookworm) and 20240118 (trixie), whose postinst and
UpdateCertificates program do the same:

- the keystore is a JKS file; the alias of an entry is ``debian:`` and the name of the ``.pem`` link, in lower case;
- after ``--fresh``, ``debian:...`` entries without a link are removed; entries with any other alias are foreign and
  kept;
- if two link names differ only in case, the later one in byte order wins;
- two links to the same certificate give two entries;
- of a file with several certificates only the first is used; one that Java cannot read is skipped;
- the hook does nothing unless ``cacerts_updates=yes`` in /etc/default/cacerts, which also contains the password, and
  nothing if no Java is installed.

Two things differ, so that the same input gives the same bytes. The real tool dates every entry on each run; here an
entry whose certificate stays keeps its date. In the real tool the order of entries, that of the JDK's hash table,
depends on all earlier runs; here it is always that of a first run on an empty keystore. A first run of the real tool
gives the same bytes except for dates, and adding and removing an anchor restores the previous bytes.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterable, Mapping
from typing import NamedTuple

from rootfs_trust import x509
from rootfs_trust.errors import JAVA_REFUSES, JAVA_STORE_FORMAT, JAVA_STORE_FROZEN, MalformedError, Problem
from rootfs_trust.layouts.tools import JAVA_HOOK, JAVA_STORE
from rootfs_trust.rootfs.view import File, Symlink, View, as_bytes, join, read
from rootfs_trust.store.java_rules import refused_by_java
from rootfs_trust.store.jks import PASSWORD, KeystoreEntry, read_keystore, with_dates, write_keystore
from rootfs_trust.store.source_file import Source

SETTINGS = "/etc/default/cacerts"

_PREFIX = "debian:"
_JVMS = "/usr/lib/jvm"


def debian_java_store(
    view: View, links: Mapping[str, Source], created: int | None = None
) -> tuple[dict[str, File], list[Problem]]:
    """Return the Java keystore for the ``.pem`` links of a hash directory, and warnings.

    ``links`` maps the name of each link to its source file. ``created`` is the date of new entries, in seconds since
    1970. If it is None, they get the latest date in the existing keystore, or 0: the time of the run would make each
    run's bytes differ. The result is empty if the device's hook would write nothing.
    """
    location = _location(view)
    if isinstance(location, Problem):
        return {}, [location]
    if location is None:
        return {}, []
    try:
        old = [] if location.data is None else read_keystore(location.data, location.password)
    except MalformedError as error:
        return {}, [_not_updated(error.message)]
    wanted, warnings = _certificates(links)
    if not wanted and location.data is None:  # the hook does not call Java then
        return {}, warnings
    entries = _entries(old, wanted, created)
    return {location.path: File(write_keystore(entries, location.password))}, warnings


# -- location and password---------------------------------------------------------------------------------


class _Location(NamedTuple):
    """The path of the keystore with links resolved, its current content if it exists, and its password."""

    path: str
    data: bytes | None
    password: str


def _location(view: View) -> _Location | Problem | None:
    """Return the location of the keystore, a warning if it cannot be written, or None if the rootfs has no keystore to
    maintain.
    """
    data = read(view, JAVA_STORE)
    if data is None and view.kind(JAVA_STORE, follow=False) is not None:
        return _not_a_file(view)
    hooked = view.kind(JAVA_HOOK) is File
    if data is None and not (hooked and _has_java(view)):
        return None
    settings = _settings(view) if hooked else {"cacerts_updates": "yes"}
    if settings.get("cacerts_updates") != "yes":
        message = f"is not updated, since {SETTINGS} does not set cacerts_updates=yes; Java does not see this change"
        return None if data is None else JAVA_STORE_FROZEN(JAVA_STORE, message)
    password = settings.get("storepass", PASSWORD)
    if password is None:
        return _not_updated(f"its password in {SETTINGS} is a shell expression, which is not evaluated")
    return _Location(view.real_path(JAVA_STORE) or JAVA_STORE, data, password)


def _has_java(view: View) -> bool:
    """Return whether the rootfs has a Java. The package may be unpacked but not configured, so that /usr/bin has no
    link yet.
    """
    places = ["/usr/bin/java", *(f"{join(_JVMS, name)}/bin/java" for name in view.names(_JVMS))]
    return any(view.kind(location) is File for location in places)


def _settings(view: View) -> dict[str, str | None]:
    """Return the variables that the shell file sets; None for a value that only a shell could compute."""
    text = (read(view, SETTINGS) or b"").decode("utf-8", "replace")
    found = re.findall(r"^[ \t]*(?:export[ \t]+)?(cacerts_updates|storepass)=(.*)$", text, re.MULTILINE)
    return {name: _plain(value) for name, value in found}


def _plain(value: str) -> str | None:
    """Evaluate the right side of a shell assignment that consists of plain text, quotes and a comment; else None."""
    outside = re.sub(r"'[^']*'", "", value)
    try:
        words = shlex.split(value, comments=True)
    except ValueError:
        return None
    if len(words) > 1 or any(char in outside for char in "$`\\;&|<>()"):
        return None
    return words[0] if words else ""


# -- content -----------------------------------------------------------------------------------------------


def _certificates(links: Mapping[str, Source]) -> tuple[dict[str, bytes], list[Problem]]:
    """Return DER by alias, in the order in which the hook passes the links to Java."""
    wanted: dict[str, bytes] = {}
    warnings: list[Problem] = []
    for name in sorted(links, key=as_bytes):
        reason = _reason_to_skip(name, links[name])
        if reason:
            message = f"is not in {JAVA_STORE}, since {reason}: Java refuses it"
            warnings.append(JAVA_REFUSES(links[name].path, message, "use a well-formed certificate"))
        else:
            alias = _PREFIX + name.lower()
            wanted.pop(alias, None)  # the hook removes and re-adds it, which changes its position
            wanted[alias] = links[name].certificates[0].der
    return wanted, warnings


def _reason_to_skip(name: str, source: Source) -> str:
    """Return the reason why Java would not accept the certificate of a link, or an empty string."""
    if any("\udc80" <= char <= "\udcff" for char in name):  # bytes that are not UTF-8, by surrogateescape
        return "its name is not UTF-8"
    if source.fault or not source.certificates:
        return f"it {source.fault or 'contains no certificate'}"
    certificate = source.certificates[0]
    first = x509.blocks(source.data)[0]
    if isinstance(first, x509.BadBlock) or first.der != certificate.der:  # Java ignores the label
        return "its first block is not exactly one certificate"
    return refused_by_java(certificate)


# -- order and dates ---------------------------------------------------------------------------------------


def _entries(old: list[KeystoreEntry], wanted: Mapping[str, bytes], created: int | None) -> list[KeystoreEntry]:
    """Return foreign entries unchanged, and those of the hook with dates, in the order of the JDK's hash table."""
    foreign = {entry.alias: entry for entry in old if not entry.alias.lower().startswith(_PREFIX)}
    entries = {alias: foreign[alias] for alias in sorted(foreign)}
    entries |= {each.alias: each for each in with_dates(wanted.items(), old, created)}
    return [entries[alias] for alias in hashtable_order(entries)]


def hashtable_order(keys: Iterable[str]) -> list[str]:
    """Return ``keys`` in the order in which java.util.Hashtable enumerates them if they were added one by one.

    By its documentation it starts with 11 buckets and is rehashed beyond three quarters. OpenJDK's grows to twice as
    many and one, puts new keys first in their bucket, moves buckets from the last to the first, and is enumerated from
    the last bucket to the first.
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
    """Return the bucket by java.lang.String.hashCode: s[0]*31^(n-1) + ... + s[n-1] over UTF-16, in 32 bits, without
    sign.
    """
    units = key.encode("utf-16-be", "surrogatepass")
    value = 0
    for high, low in zip(units[::2], units[1::2], strict=True):
        value = (value * 31 + (high << 8 | low)) & 0xFFFFFFFF
    return (value & 0x7FFFFFFF) % len(buckets)


# -- warnings ----------------------------------------------------------------------------------------------


def _not_updated(reason: str) -> Problem:
    return JAVA_STORE_FORMAT(
        JAVA_STORE,
        f"{reason}; it is not updated, and Java does not see this change",
        "remove it, so that it is written again; or change it with keytool on the device",
    )


def _not_a_file(view: View) -> Problem:
    what = "a dangling link" if view.kind(JAVA_STORE, follow=False) is Symlink else "not a regular file"
    return _not_updated(f"is {what}")
