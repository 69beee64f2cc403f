"""Ten CAs, and a server's certificate of each."""

from __future__ import annotations

import functools

from tests.support.authority import Authority

COUNT = 10
TWINS = (7, 8)
"""Two CAs of the same name, so that hash links get numbers."""


@functools.cache
def authorities() -> tuple[Authority, ...]:
    """The CAs, in the order in which judges answer."""
    return tuple(Authority("Twin CA" if number in TWINS else f"CA {number}") for number in range(COUNT))


@functools.cache
def servers() -> tuple[Authority, ...]:
    """A server's certificate that each CA signed."""
    return tuple(
        Authority(f"server {number}", ca=False, issuer=authority, names=("localhost",))
        for number, authority in enumerate(authorities())
    )
