"""GeneralName (RFC 5280, 4.2.1.6) as alternative names and name constraints hold it. Pure."""

from __future__ import annotations

from typing import NamedTuple

from rootfs_trust.x509.der import Reader
from rootfs_trust.x509.primitive import SEQUENCE

DNS, ADDRESS, DIRECTORY = 0x82, 0x87, 0x84
"""Tags of the kinds that name servers, and of the one whose constraints bind subjects."""

_PERMITTED, _EXCLUDED = 0x80, 0x81


class GeneralName(NamedTuple):
    """A name of the kind ``tag``: the octets of a DNS name or address, of a directory name the whole Name."""

    tag: int
    value: bytes


class NameConstraints(NamedTuple):
    """RFC 5280, 4.2.1.10; no list is an empty one."""

    permitted: tuple[GeneralName, ...] = ()
    excluded: tuple[GeneralName, ...] = ()


def general_names(value: bytes) -> tuple[GeneralName, ...]:
    """GeneralNames, each as it stands there."""
    body = Reader(value).enter_list(SEQUENCE)
    return tuple(_take(body) for _ in iter(body.more, False))


def name_constraints(value: bytes) -> NameConstraints:
    """NameConstraints; minimum and maximum, which RFC 5280 fixes, are passed over."""
    body = Reader(value).enter(SEQUENCE)
    return NameConstraints(_take_subtrees(body, _PERMITTED), _take_subtrees(body, _EXCLUDED))


def _take_subtrees(body: Reader, tag: int) -> tuple[GeneralName, ...]:
    if body.next_tag() != tag:
        return ()
    subtrees = body.enter_list(tag)
    found = []
    while subtrees.more():
        subtree = subtrees.enter(SEQUENCE)
        found.append(_take(subtree))
        while subtree.more():
            subtree.any()
        subtrees.leave(subtree)
    body.leave(subtrees)
    return tuple(found)


def _take(reader: Reader) -> GeneralName:
    tag = reader.next_tag()
    element = reader.any()
    inner = Reader(element)
    if tag == DIRECTORY:
        return GeneralName(tag, inner.enter(tag).any())
    return GeneralName(tag, inner.value(tag) if tag in (DNS, ADDRESS) else element)
