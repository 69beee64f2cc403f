"""Quick test whether a plan may make a client lose a certificate, so that most runs need no full comparison."""

from __future__ import annotations

from hashlib import sha256

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


def replaced_certificates(view: View, plan: Plan, sources: str) -> frozenset[str]:
    """Return the SHA-256 of the certificates in files below the directory ``sources`` that the plan overwrites."""
    files = (action for action in plan.actions if isinstance(action, Put) and action.path.startswith(f"{sources}/"))
    return frozenset().union(
        *(_contents(read(view, action.path) or b"") - _contents(action.node.content) for action in files)
    )


def may_lose(view: View, plan: Plan, replaced: frozenset[str] = frozenset()) -> bool:
    """Return whether ``plan`` may make a client lose a certificate other than ``replaced``. False if it only adds."""
    return any(_takes_away(view, action, replaced) for action in plan.actions)


def _takes_away(view: View, action: Action, replaced: frozenset[str]) -> bool:
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


def _contents(data: bytes) -> set[str]:
    """Return the SHA-256 of what a file contains: PEM blocks, certificates of a keystore, or else the whole file."""
    from rootfs_trust.clients.pkcs12 import keystore_certificates

    found = {_sha256(each.der) for each in blocks(data) if isinstance(each, Block)} if _PEM in data else set()
    try:
        return found or {each.sha256 for each in keystore_certificates(data)}
    except MalformedError:
        return {_sha256(data)} if data else set()


def _sha256(data: bytes) -> str:
    return sha256(data, usedforsecurity=False).hexdigest()
