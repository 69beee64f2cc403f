"""Read the names that a constrained anchor is trusted for, and constrain its certificate to them."""

from __future__ import annotations

import re
from typing import NamedTuple

from rootfs_trust.errors import NOT_CONSTRAINED, MalformedError, Problem
from rootfs_trust.store.anchor import Anchor
from rootfs_trust.x509.constrained import constrained, permits_nothing
from rootfs_trust.x509.name import ADDRESS, DNS, GeneralName, NameConstraints

WHERE_POSSIBLE = "where-possible"
FENCES = ("everywhere", WHERE_POSSIBLE)

_EXPECTED = "a DNS name such as corp.example, or an IP network such as 10.0.0.0/8"
_LABEL = re.compile("[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?", re.IGNORECASE)


class Fence(NamedTuple):
    """The names that an anchor is limited to. If both lists are empty, it is not limited.

    ``mode`` is one of :data:`FENCES`. It says whether the anchor is refused if a client ignores its constraints.
    """

    permitted: tuple[GeneralName, ...] = ()
    excluded: tuple[GeneralName, ...] = ()
    mode: str = FENCES[0]


NO_FENCE = Fence()


def host_names(text: object) -> GeneralName:
    """Read a DNS name, which includes its subdomains, or an IP network. Raises ValueError with what was expected."""
    if not isinstance(text, str):
        raise ValueError(_EXPECTED)
    if "/" in text or ":" in text or re.fullmatch(r"[0-9.]+", text):
        return _network(text)
    if text.startswith(("*.", ".")):
        raise ValueError(f"{_EXPECTED}; a name includes its subdomains, so do not write *. or . before it")
    if len(text) > 253 or not all(map(_LABEL.fullmatch, text.split("."))):
        raise ValueError(f"{_EXPECTED}, in ASCII (write an international name as xn--...)")
    return GeneralName(DNS, text.lower().encode())


def _network(text: str) -> GeneralName:
    from ipaddress import ip_network

    try:
        network = ip_network(text)
    except ValueError as error:
        raise ValueError(f"{_EXPECTED}: {error}") from error
    return GeneralName(ADDRESS, network.network_address.packed + network.netmask.packed)


def fenced(anchor: Anchor, fence: Fence, key: str) -> Anchor | Problem:
    """Return the anchor constrained to the names of ``fence``, or a problem. ``key`` is the option or table in its
    message.
    """
    if not (fence.permitted or fence.excluded):
        return anchor
    try:
        copy = constrained(anchor.certificate, NameConstraints(fence.permitted, fence.excluded))
    except MalformedError as error:
        return NOT_CONSTRAINED(anchor.where, error.message, f"delete the names of {key}")
    if permits_nothing(copy):
        message = f"has its own name constraints, and {key} permits none of the names that they permit"
        return NOT_CONSTRAINED(anchor.where, message, "openssl x509 -noout -ext nameConstraints shows them")
    return anchor._replace(certificate=copy, fence_where_possible=fence.mode == WHERE_POSSIBLE)
