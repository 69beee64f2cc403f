"""Name constraints in Java: the common name of every certificate also counts as a host or an address.

NameConstraintsExtension, GeneralSubtrees and the names of sun.security.x509, OpenJDK 17 to 25. If two issuers permit
nothing in common, Java throws an exception, which ends the connection.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from enum import Enum
from ipaddress import ip_address

from rootfs_trust.x509 import Certificate
from rootfs_trust.x509.name import ADDRESS, DIRECTORY, DNS, MAIL, URI, GeneralName, Name
from rootfs_trust.x509.oids import MAIL_ADDRESS, SUBJECT_ALTERNATIVE_NAME

_HOST = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9-]*)(?:\.[A-Za-z0-9][A-Za-z0-9-]*)*")

Names = list[GeneralName]


class Relation(Enum):
    """The relation of a name to a constraint of the same kind, as Java's method ``constrains`` returns it."""

    SAME = "the same"
    NARROWER = "within"
    WIDER = "around"
    APART = "apart"


def refused_by_java_constraints(issuers: Iterable[Certificate], certificate: Certificate) -> str:
    """Return the reason why the constraints of ``issuers``, the topmost first, forbid ``certificate``, or an empty
    string.
    """
    permitted: Names | None = None
    excluded: Names = []
    for issuer in issuers:
        if issuer.name_constraints is None:
            continue
        excluded += issuer.name_constraints.excluded
        if issuer.name_constraints.permitted:
            lower = list(issuer.name_constraints.permitted)
            permitted, empty = (lower, False) if not permitted else _intersection(permitted, lower)
            if empty:
                return "any name, because two issuers permit nothing in common"
    for name in _names(certificate) if permitted or excluded else ():
        if not _passes(name, permitted or [], excluded):
            return _shown(name)
    return ""


def _intersection(upper: Names, lower: Names) -> tuple[Names, bool]:
    """Return the names that both lists permit (GeneralSubtrees.intersect), and whether there is a kind of name that
    both lists have but of which they share no name.
    """
    upper, lower = _widest(upper), _widest(lower)
    kept, narrowed = [], []
    for ours in upper:
        same_kind = [(each, _relation(each, ours)) for each in lower if each.tag == ours.tag]
        related = next(((each, how) for each, how in same_kind if how is not Relation.APART), None)
        if related and related[1] is Relation.NARROWER:
            narrowed.append(related[0])
        elif related or not same_kind:
            kept.append(ours)
    kept += narrowed
    kinds = {each.tag for each in upper}
    empty = not (kinds & {each.tag for each in lower}) <= {each.tag for each in kept}
    return kept + [each for each in lower if each.tag not in kinds], empty


def _widest(names: Names) -> Names:
    """Return the names that no other name of the list contains."""
    found: Names = []
    for each in dict.fromkeys(names):
        others = [other for other in names if other.tag == each.tag and other != each]
        if not any(_relation(each, other) is Relation.NARROWER for other in others):
            found.append(each)
    return found


def _names(certificate: Certificate) -> Iterator[GeneralName]:
    """Yield the subject and the alternative names. Missing kinds are taken from the subject."""
    if certificate.subject.canonical:
        yield GeneralName(DIRECTORY, certificate.subject.raw)
    names = certificate.alternative_names
    yield from names
    if SUBJECT_ALTERNATIVE_NAME not in certificate.extension_ids:
        for text in certificate.subject.texts(MAIL_ADDRESS):
            yield GeneralName(MAIL, text.encode())
    common_name = certificate.subject.common_name or ""
    try:
        named = GeneralName(ADDRESS, ip_address(common_name).packed)
    except ValueError:
        if not _HOST.fullmatch(common_name):
            return
        named = GeneralName(DNS, common_name.encode())
    if all(each.tag != named.tag for each in names):
        yield named


def _passes(name: GeneralName, permitted: Names, excluded: Names) -> bool:
    inside = (Relation.SAME, Relation.NARROWER)
    if any(each.tag == name.tag and _relation(name, each) in inside for each in excluded):
        return False
    mine = [each for each in permitted if each.tag == name.tag]
    return not mine or any(_relation(name, each) in inside for each in mine)


def _relation(name: GeneralName, constraint: GeneralName) -> Relation:
    """Return the relation of a name to a constraint. Kinds that Java cannot compare count as equal, because Java
    refuses them.
    """
    if name.value == constraint.value:
        return Relation.SAME
    if name.tag == ADDRESS:
        return _of_addresses(name.value, constraint.value)
    if name.tag == DIRECTORY:
        mine, theirs = (Name(each.value).canonical for each in (name, constraint))
        return _ordered(mine == theirs, mine.startswith(theirs), theirs.startswith(mine))
    if name.tag == URI:
        host, base = (_host(each.value) for each in (name, constraint))
        return _ordered(host == base, base.startswith(".") and host.endswith(base), False)
    if name.tag not in (DNS, MAIL):
        return Relation.SAME
    mine, theirs = name.value.lower(), constraint.value.lower()
    below = _is_host_below if name.tag == DNS else _is_mail_below
    return _ordered(mine == theirs, below(mine, theirs), below(theirs, mine))


def _ordered(same: bool, narrower: bool, wider: bool) -> Relation:
    if same:
        return Relation.SAME
    if narrower:
        return Relation.NARROWER
    return Relation.WIDER if wider else Relation.APART


def _is_host_below(name: bytes, base: bytes) -> bool:
    """Return whether a host is below a domain. An empty domain matches everything."""
    if not name.endswith(base):
        return False
    return not base or (name[: -len(base)].endswith(b".") != base.startswith(b"."))


def _is_mail_below(name: bytes, base: bytes) -> bool:
    if not name.endswith(base) or b"@" in base:
        return False
    return base.startswith(b".") or name[: -len(base)].endswith(b"@")


def _of_addresses(mine: bytes, theirs: bytes) -> Relation:
    """Compare addresses and networks. A network whose base has bits outside its mask contains nothing."""
    size = min(len(mine), len(theirs))
    if len(mine) == len(theirs) and len(mine) in (8, 32):
        return _of_networks(mine, theirs)
    if sorted((len(mine), len(theirs))) not in ([4, 8], [16, 32]):
        return Relation.APART
    address, network = (mine, theirs) if len(mine) == size else (theirs, mine)
    base, mask = _halves(network)
    inside = int.from_bytes(address) & mask == base
    return _ordered(False, inside and address is mine, inside)


def _of_networks(mine: bytes, theirs: bytes) -> Relation:
    (base, mask), (other, other_mask) = _halves(mine), _halves(theirs)
    if base & mask != base or other & other_mask != other:
        return _ordered(base & mask != base and other & other_mask != other, base & mask != base, True)
    narrower = mask & other_mask == other_mask and base & other_mask == other
    return _ordered(False, narrower, mask & other_mask == mask and other & mask == base)


def _halves(network: bytes) -> tuple[int, int]:
    half = len(network) // 2
    return int.from_bytes(network[:half]), int.from_bytes(network[half:])


def _host(uri: bytes) -> str:
    """Return the host of a URI. A constraint is already a host."""
    text = uri.decode("latin-1").lower()
    return re.split(r"[/?#]", text.partition("://")[2])[0].rpartition("@")[2].partition(":")[0] or text


def _shown(name: GeneralName) -> str:
    if name.tag == DIRECTORY:
        return Name(name.value).text
    return f"the address {name.value.hex()}" if name.tag == ADDRESS else name.value.decode("latin-1")
