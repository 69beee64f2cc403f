"""Build the single path that Mbed TLS tries: by names, anchors before sent certificates, without backtracking.

x509_crt_verify_chain of library/x509_crt.c, Mbed TLS 2.28 and 3.6.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from rootfs_trust.audit.verify import verdict
from rootfs_trust.audit.verify.chain import Chain
from rootfs_trust.audit.verify.lazy_certificate import Parsed
from rootfs_trust.audit.verify.path_checks import Check, outside_validity
from rootfs_trust.audit.verify.path_evaluation import first_refusal, unread_in
from rootfs_trust.audit.verify.paths import Path
from rootfs_trust.audit.verify.rules import RULES
from rootfs_trust.audit.verify.verdict import ChainVerdict, Refusal
from rootfs_trust.clients.client import Client, FoundAnchors
from rootfs_trust.clients.mbedtls_parser import unread_by_mbedtls

_MOST_INTERMEDIATES = 8  # MBEDTLS_X509_MAX_INTERMEDIATE_CA


def judge(
    _: Client, chain: Chain, found: FoundAnchors, at: datetime, host: str | None, more: Sequence[Check]
) -> ChainVerdict:
    """Evaluate the only path. A sent certificate that cannot be parsed ends the connection."""
    if refusal := unread_in(chain, unread_by_mbedtls, "Mbed TLS"):
        return ChainVerdict((), refusal)
    anchors = [Parsed(each.certificate) for each in found.anchors if not unread_by_mbedtls(each.certificate)]
    path = _path([Parsed(each) for each in chain.sent], anchors, at)
    if not isinstance(path, Path):
        return ChainVerdict((), verdict.missing_issuer(path.certificate, found.searched))
    if len(path.intermediates) > _MOST_INTERMEDIATES:
        message = f"the path has {len(path.intermediates)} intermediates, and Mbed TLS accepts {_MOST_INTERMEDIATES}"
        return ChainVerdict((), Refusal("other", message))
    refusal = first_refusal(path, RULES["mbedtls"].with_checks(more), at, host)
    return ChainVerdict((), refusal) if refusal else ChainVerdict(path.certificates)


def _path(sent: list[Parsed], anchors: Sequence[Parsed], at: datetime) -> Path | Parsed:
    """Return the path, anchor last, or the certificate whose issuer is missing."""
    server = sent[0].certificate
    if server.self_issued and any(each.certificate.der == server.der for each in anchors):
        return Path((sent[0],))
    below = [sent[0]]
    left = sent[1:]
    while len(below) <= _MOST_INTERMEDIATES + 1:
        anchor = _parent(below, anchors, at, is_anchor=True)
        if anchor is not None:
            return Path((*below, anchor))
        parent = _parent(below, left, at, is_anchor=False)
        if parent is None:
            break
        below.append(parent)
        left = left[left.index(parent) + 1 :]
    return below[-1]


def _parent(below: Sequence[Parsed], candidates: Sequence[Parsed], at: datetime, *, is_anchor: bool) -> Parsed | None:
    """Return the first valid candidate with the issuer's name, else the first (x509_crt_find_parent_in).

    The signature is checked only for anchors. Of the sent certificates, the first one is used, with any key.
    """
    fallback = None
    for each in candidates:
        if _may_have_issued(each, below, is_anchor) and (not is_anchor or below[-1].signed_by(each)):
            if outside_validity(each.certificate, at) is None:
                return each
            fallback = fallback or each
    return fallback


def _may_have_issued(parent: Parsed, below: Sequence[Parsed], is_anchor: bool) -> bool:
    certificate = parent.certificate
    if certificate.subject != below[-1].certificate.issuer:
        return False
    constraints = certificate.basic_constraints
    if not (is_anchor and certificate.version < 3):
        if not (constraints and constraints.ca):
            return False
        if certificate.key_usage is not None and "keyCertSign" not in certificate.key_usage:
            return False
    length = constraints.path_length if constraints else None
    rolled_over = sum(each.certificate.self_issued for each in below[1:-1])
    return length is None or len(below) - 1 - rolled_over <= length
