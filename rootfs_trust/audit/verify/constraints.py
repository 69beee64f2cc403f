"""Name constraints (RFC 5280, 4.2.1.10) of DNS names, IP addresses and subjects. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

from rootfs_trust.audit.verify.parsed import Parsed

if TYPE_CHECKING:
    from cryptography import x509


def breach(issuer: Parsed, below: Sequence[Parsed]) -> str:
    """What name of the certificates ``below`` the constraints of ``issuer`` forbid, or nothing."""
    from cryptography import x509

    constraints = issuer.extension(x509.NameConstraints)
    if constraints is None:
        return ""
    names = (name for link in below for name in _names(link))
    return next((str(name.value) for name in names if not _allowed(name, constraints)), "")


def _names(link: Parsed) -> list[x509.GeneralName]:
    from cryptography import x509

    found = link.extension(x509.SubjectAlternativeName)
    names: list[x509.GeneralName] = list(found) if found else []
    if link.whole is not None and len(link.whole.subject.rdns):
        names.append(x509.DirectoryName(link.whole.subject))
    return names


def _allowed(name: x509.GeneralName, constraints: x509.NameConstraints) -> bool:
    excluded = _of_kind(constraints.excluded_subtrees, name)
    if any(_within(name.value, each.value) for each in excluded):
        return False
    permitted = _of_kind(constraints.permitted_subtrees, name)
    return not permitted or any(_within(name.value, each.value) for each in permitted)


def _of_kind(subtrees: Iterable[x509.GeneralName] | None, name: x509.GeneralName) -> list[x509.GeneralName]:
    return [each for each in subtrees or () if type(each) is type(name)]


def _within(value: Any, constraint: Any) -> bool:
    """Whether a name lies in a subtree: a DNS name below it, an address in the network, a subject that begins so."""
    from cryptography import x509

    if isinstance(value, x509.Name) and isinstance(constraint, x509.Name):
        return list(value.rdns[: len(constraint.rdns)]) == list(constraint.rdns)
    if isinstance(value, str) and isinstance(constraint, str):
        base, name = constraint.lower().lstrip("."), value.lower()
        return not base or name == base or name.endswith("." + base)
    try:
        return value in constraint
    except TypeError:
        return False
