"""Name constraints in GnuTLS: collected from the anchor down, intersected, and applied only to the server.

lib/x509/name_constraints.c of GnuTLS 3.8.13, and of 3.7.9 as Debian patches it. Older versions compare names
case-sensitively, and lose a permitted name if an issuer above has only excluded ones (CVE-2026-3833, CVE-2026-42011).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import takewhile

from rootfs_trust.x509 import Certificate
from rootfs_trust.x509.name import ADDRESS, DIRECTORY, DNS, MAIL, URI, GeneralName, NameConstraints

_COMMON_NAME, _MAIL_ADDRESS = "2.5.4.3", "1.2.840.113549.1.9.1"
_EMPTY_NAME = bytes.fromhex("3000")  # a Name without a relative name
_COMPARED = (DNS, MAIL, ADDRESS)
_KNOWN = (*_COMPARED, DIRECTORY, URI)
_LONGEST_NAME = 255
_MOST_COMPARISONS = 1 << 20

Names = tuple[GeneralName, ...]


def refused_by_name_constraints(issuers: Iterable[Certificate], server: Certificate, common_name_counts: bool) -> str:
    """Return the reason why the constraints of ``issuers``, the anchor first, forbid a name of ``server``, or an empty
    string.

    ``common_name_counts``: the server's certificate is for TLS servers, so its common name is a host where no DNS
    name is in the subjectAltName.
    """
    permitted: Names = ()
    excluded: Names = ()
    for issuer in issuers:
        constraints = issuer.name_constraints
        if constraints is None:
            continue
        fault = _unreadable(constraints)
        if fault:
            return fault
        permitted, emptied = _intersection(permitted, _as_read(constraints.permitted))
        excluded = (*excluded, *_as_read(constraints.excluded), *emptied)
    return _broken(permitted, excluded, server, common_name_counts)


def _as_read(names: Names) -> Names:
    """Return the names before an empty directory name, at which GnuTLS stops reading (tested with certtool)."""
    return tuple(takewhile(lambda each: each != GeneralName(DIRECTORY, _EMPTY_NAME), names))


def _unreadable(constraints: NameConstraints) -> str:
    for each in (*constraints.permitted, *constraints.excluded):
        if each.tag not in _KNOWN:
            return "any name, because GnuTLS does not support one of their kinds"
        if each.tag == ADDRESS and not _is_network(each.value):
            return "any name, because GnuTLS rejects a network in them"
        if each.tag in (DNS, MAIL) and (b".." in each.value or each.value == b"."):
            return "any name, because GnuTLS rejects a name in them"
    return ""


def _is_network(value: bytes) -> bool:
    if len(value) not in (8, 32):
        return False
    mask = int.from_bytes(value[len(value) // 2 :])
    inverse = mask ^ ((1 << (len(value) * 4)) - 1)
    return inverse & (inverse + 1) == 0


def _intersection(upper: Names, lower: Names) -> tuple[Names, Names]:
    """Return the names that both lists permit. If they share a kind of name but no name of that kind, the whole kind is
    excluded.
    """
    kinds = {each.tag for each in upper} & {each.tag for each in lower} & set(_COMPARED)
    kept = [each for each in (*upper, *lower) if each.tag not in kinds]
    for kind in kinds:
        ours, theirs = _of_kind(kind, upper), _of_kind(kind, lower)
        kept += (each for each in ours if any(_included(each, other) for other in theirs))
        kept += (each for each in theirs if any(_included(each, other) for other in ours))
    emptied = kinds - {each.tag for each in kept}
    return tuple(kept), tuple(each for kind in emptied for each in _all_names(kind))


def _all_names(kind: int) -> Names:
    if kind == ADDRESS:
        return GeneralName(ADDRESS, bytes(8)), GeneralName(ADDRESS, bytes(32))
    return (GeneralName(kind, b""),)


def _broken(permitted: Names, excluded: Names, server: Certificate, common_name_counts: bool) -> str:
    kinds = {each.tag for each in (*permitted, *excluded)}
    if kinds and len(server.alternative_names) * (len(permitted) + len(excluded)) > _MOST_COMPARISONS:
        return "any name, because they are too many for GnuTLS"
    if kinds & {*_COMPARED, URI} and any(len(each.value) > _LONGEST_NAME for each in server.alternative_names):
        return "a name of the server: it is too long for GnuTLS"
    if _of_kind(DIRECTORY, excluded) or (_of_kind(URI, excluded) and _of_kind(URI, server.alternative_names)):
        return "any subject or URI, because GnuTLS cannot compare these, and refuses all if some are excluded"
    for kind in _COMPARED:
        for name in _names(kind, server, common_name_counts) if kind in kinds else ():
            if name is None:
                return "the subject of the server: it has several common names or e-mail addresses"
            if not _passes(name, _of_kind(kind, permitted), _of_kind(kind, excluded)):
                return _shown(name)
    return ""


def _names(kind: int, server: Certificate, common_name_counts: bool) -> Sequence[GeneralName | None]:
    """Return the names of a kind, from the subject if the subjectAltName has none. Return None if the subject has
    several.
    """
    named = [each for each in server.alternative_names if each.tag == kind]
    if named or kind == ADDRESS or (kind == DNS and not common_name_counts):
        return named
    texts = server.subject.texts(_COMMON_NAME if kind == DNS else _MAIL_ADDRESS)
    return [None] if len(texts) > 1 else [GeneralName(kind, text.encode()) for text in texts]


def _passes(name: GeneralName, permitted: Names, excluded: Names) -> bool:
    if name.tag == ADDRESS:
        permitted = tuple(each for each in permitted if len(each.value) == 2 * len(name.value))
    else:
        permitted = tuple(each for each in permitted if each.value)
        if any(not each.value for each in excluded):
            return False
    if any(_matches(name, each) for each in excluded):
        return False
    return not permitted or any(_matches(name, each) for each in permitted)


def _matches(name: GeneralName, constraint: GeneralName) -> bool:
    if name.tag != ADDRESS:
        return _included(name, constraint)
    size = len(name.value)
    if len(constraint.value) != 2 * size:
        return False
    base, mask = _numbers(constraint.value)
    return (int.from_bytes(name.value) ^ base) & mask == 0


def _included(one: GeneralName, other: GeneralName) -> bool:
    """Return whether ``other`` contains the constraint or name ``one``. Both have the same kind."""
    if one.tag == ADDRESS:
        if len(one.value) != len(other.value):
            return False
        (base, mask), (wider, wider_mask) = _numbers(one.value), _numbers(other.value)
        return mask >= wider_mask and (base ^ wider) & wider_mask == 0
    return (_host_included if one.tag == DNS else _mail_included)(one.value, other.value)


def _host_included(one: bytes, other: bytes) -> bool:
    """Return whether a host is in a constraint. One with a leading dot includes only subdomains."""
    if not other or not one:
        return one == other
    labels, base = (each.rstrip(b".").lower().split(b".")[::-1] for each in (one, other))
    if base[-1] == b"":
        base = base[:-1]
        return labels[: len(base)] == base and len(labels) > len(base)
    return labels[: len(base)] == base


def _mail_included(one: bytes, other: bytes) -> bool:
    """Return whether an address is in a constraint: a host, a domain with a leading dot, or a mailbox with an @."""
    user, at, host = one.rpartition(b"@")
    other_user, other_at, other_host = other.rpartition(b"@")
    same = host.rstrip(b".").lower() == other_host.rstrip(b".").lower()
    if other_at:
        return bool(at) and same and user == other_user
    return same or (other_host.startswith(b".") and _host_included(host, other_host))


def _numbers(network: bytes) -> tuple[int, int]:
    half = len(network) // 2
    return int.from_bytes(network[:half]), int.from_bytes(network[half:])


def _of_kind(kind: int, names: Iterable[GeneralName]) -> Names:
    return tuple(each for each in names if each.tag == kind)


def _shown(name: GeneralName) -> str:
    return f"the address {name.value.hex()}" if name.tag == ADDRESS else name.value.decode("latin-1")
