"""Java: every keystore ``cacerts`` of a JDK or JRE, except links to the system's. A keystore stays JKS or PKCS #12.

Entries of rootfs-trust have aliases that begin with ``rootfs-trust:``. Foreign entries keep their bytes and their
order. The system's own store, to which distributions link their JDKs, belongs to the layout.
"""

from __future__ import annotations

from collections.abc import Iterable
from hashlib import sha256

from rootfs_trust.errors import CONFLICT, JAVA_REFUSES, InputError, MalformedError, PasswordError, Problem
from rootfs_trust.rootfs.view import File, read
from rootfs_trust.runtimes.find import JAVA
from rootfs_trust.runtimes.request import RuntimePlan, RuntimeRequest, RuntimeTree
from rootfs_trust.store.java_rules import refused_by_java
from rootfs_trust.store.jks import PASSWORD, KeystoreEntry, read_keystore, with_dates, write_keystore
from rootfs_trust.store.pkcs12 import Bag, read_pkcs12, trusted_bag, write_pkcs12
from rootfs_trust.x509 import Certificate, looks_like_pkcs12

NAME = "java"

PREFIX = "rootfs-trust:"
"""Prefix of the aliases of rootfs-trust's entries. Java finds only lower-case aliases."""

_PASSWORDS = (PASSWORD, "")
_HINT = "name a file with its password as java_password_file in [runtimes] of rootfs-trust.toml"
_HINT_FORMAT = "restore it from its package, or convert it with keytool -importkeystore"


def present(tree: RuntimeTree) -> bool:
    """Return whether the root filesystem has a JDK or JRE with a keystore that is not a link to the system's."""
    return bool(tree.files(JAVA))


def plan(tree: RuntimeTree, request: RuntimeRequest) -> RuntimePlan:
    """Plan every keystore with an entry for each anchor."""
    result = RuntimePlan()
    wanted, result.warnings = readable_anchors(request)
    for path in tree.files(JAVA):
        data = read(tree.view, path) or b""
        try:
            changed = changed_keystore(data, wanted, request)
        except MalformedError as error:
            hint = _HINT if isinstance(error, PasswordError) else _HINT_FORMAT
            result.conflicts.append(CONFLICT(path, error.message, hint))
        except InputError as error:
            result.problems += (each._replace(path=path) for each in error.problems)
        else:
            if changed != data:
                result.desired[path] = File(changed)
    return result


def readable_anchors(request: RuntimeRequest) -> tuple[dict[str, Certificate], list[Problem]]:
    """Return the anchors that Java can read, by alias, and a warning for each anchor that it cannot read.

    Java refuses a keystore with a certificate that it cannot read.
    """
    wanted: dict[str, Certificate] = {}
    warnings = []
    for anchor in sorted(request.anchors, key=lambda each: each.name):
        if reason := refused_by_java(anchor.certificate):
            message = f"is left out of Java's keystores: {reason}"
            warnings.append(JAVA_REFUSES(anchor.where or anchor.name, message, "use another certificate"))
        else:
            wanted[PREFIX + anchor.name.lower()] = anchor.certificate
    return wanted, warnings


def changed_keystore(data: bytes, wanted: dict[str, Certificate], request: RuntimeRequest) -> bytes:
    """Return a keystore with the changes of ``request`` and the entries ``wanted`` (by alias).

    Raises MalformedError for an unreadable keystore, InputError without the package cryptography.
    """
    passwords = (*request.java_passwords, *_PASSWORDS)
    if looks_like_pkcs12(data) or data.startswith(b"0"):
        return _changed_pkcs12(data, wanted, request, passwords)
    return _changed_jks(data, wanted, request, passwords)


def _changed_jks(
    data: bytes, wanted: dict[str, Certificate], request: RuntimeRequest, passwords: Iterable[str]
) -> bytes:
    password, entries = _read_jks(data, passwords)
    kept = [entry for entry in entries if _stays(entry.alias, entry.der, request)]
    ours = _ours({entry.alias: entry.der for entry in entries}, wanted, request)
    return write_keystore([*kept, *with_dates(ours.items(), entries, request.created)], password)


def _read_jks(data: bytes, passwords: Iterable[str]) -> tuple[str, list[KeystoreEntry]]:
    """Return the password that matches, and the entries. If an entry is malformed, that error takes precedence over the
    password's.
    """
    read_keystore(data, None)
    fault = MalformedError("is not a Java keystore")
    for password in passwords:
        try:
            return password, read_keystore(data, password)
        except MalformedError as error:
            fault = error
    raise fault


def _changed_pkcs12(
    data: bytes, wanted: dict[str, Certificate], request: RuntimeRequest, passwords: tuple[str, ...]
) -> bytes:
    store = read_pkcs12(data, passwords)
    entries = {bag.alias: bag.certificate for bag in store.bags if bag.certificate}
    ours = _ours(entries, wanted, request)
    kept = store.without(lambda bag: _is_ours(bag) or not _stays(bag.alias, bag.certificate, request))
    return write_pkcs12(kept.with_bags([trusted_bag(alias, der) for alias, der in ours.items()]) if ours else kept)


def _is_ours(bag: Bag) -> bool:
    return bag.alias.startswith(PREFIX)


def _stays(alias: str, der: bytes, request: RuntimeRequest) -> bool:
    """Return whether an entry stays: it is foreign, and the request does not remove it."""
    if request.only and der not in {anchor.certificate.der for anchor in request.anchors}:
        return False
    return not alias.startswith(PREFIX) and not (request.distrust and _sha256(der) in request.removed)


def _ours(entries: dict[str, bytes], wanted: dict[str, Certificate], request: RuntimeRequest) -> dict[str, bytes]:
    """Return the entries of this and earlier runs by alias, except those whose certificate a foreign entry has."""
    others = {der for alias, der in entries.items() if _stays(alias, der, request)}
    kept = {} if request.only else {alias: der for alias, der in entries.items() if alias.startswith(PREFIX)}
    asked = kept | {alias: certificate.der for alias, certificate in wanted.items()}
    once = {der: alias for alias, der in asked.items() if der not in others and _sha256(der) not in request.removed}
    return {alias: der for der, alias in sorted(once.items(), key=lambda item: item[1])}


def _sha256(der: bytes) -> str:
    return sha256(der, usedforsecurity=False).hexdigest()
