"""Quick test whether a plan may make a client lose a certificate, so that most runs need no full comparison."""

from __future__ import annotations

from rootfs_trust.clients.table import DIRECTORIES, JAVA_STORES
from rootfs_trust.errors import MalformedError
from rootfs_trust.layouts import BUNDLES
from rootfs_trust.rootfs.plan import STAGED_PREFIX, Action, Link, MakeDirectory, Plan, Put, Remove
from rootfs_trust.rootfs.view import View, parent, read
from rootfs_trust.x509 import Block, blocks

_PEM = b"-----BEGIN "
_X509 = b"-----BEGIN X509 CERTIFICATE-----"
"""GnuTLS trusts a block of this kind only if no CERTIFICATE block follows it, so adding one removes its trust."""

_PLACES = frozenset((*BUNDLES, *JAVA_STORES, *DIRECTORIES))


def may_lose(view: View, plan: Plan, sources: str | None = None) -> bool:
    """Return whether ``plan`` may make a client lose a certificate. False if it only adds.

    ``sources`` is the directory in which the request replaces source files, or None. That clients lose the
    certificates that these files had is what the request asks for.
    """
    replaced = set[bytes]()
    for action in plan.actions if sources else ():
        if isinstance(action, Put) and action.path.startswith(f"{sources}/"):
            replaced |= _contents(read(view, action.path) or b"")
    return any(_takes_away(view, action, replaced) for action in plan.actions)


def _takes_away(view: View, action: Action, replaced: set[bytes]) -> bool:
    """Return whether an action removes a file, changes a link, removes more from a file than ``replaced``, or creates a
    file that hides another.
    """
    if isinstance(action, Remove):
        return not action.path.rpartition("/")[2].startswith(STAGED_PREFIX)
    if isinstance(action, MakeDirectory):
        return action.path in _PLACES
    if not action.replaces:
        return action.path in _PLACES
    if isinstance(action, Link):
        return True
    before = read(view, action.path) or b""
    may_be_read = _is_read(action) or _PEM in before
    return may_be_read and (_X509 in before or not _contents(before) - replaced <= _contents(action.node.content))


def _is_read(action: Put) -> bool:
    """Return whether clients look for certificates at this path by default, or in its directory."""
    return action.path in _PLACES or parent(action.path) in _PLACES


def _contents(data: bytes) -> set[bytes]:
    """Return what a file contains: the PEM blocks, the certificates of a keystore, or else the bytes themselves."""
    from rootfs_trust.clients.pkcs12 import keystore_certificates

    found = {each.der for each in blocks(data) if isinstance(each, Block)} if _PEM in data else set()
    try:
        return found or {each.der for each in keystore_certificates(data)}
    except MalformedError:
        return {data} if data else set()
