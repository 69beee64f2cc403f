"""Build the single path that GnuTLS tries: sort the sent certificates, cut them at an anchor, and find an issuer.

gnutls_x509_trust_list_verify_crt2 and _gnutls_verify_crt_status (lib/x509/verify-high.c and verify.c, 3.7 and 3.8).
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from functools import partial
from itertools import pairwise

from rootfs_trust.audit.verify import verdict
from rootfs_trust.audit.verify.chain import Chain
from rootfs_trust.audit.verify.lazy_certificate import Parsed
from rootfs_trust.audit.verify.path_checks import Check
from rootfs_trust.audit.verify.path_evaluation import first_refusal, unread_in
from rootfs_trust.audit.verify.paths import Path
from rootfs_trust.audit.verify.rules import RULES, Rules, unread_by_gnutls
from rootfs_trust.audit.verify.verdict import ChainVerdict, Refusal, named
from rootfs_trust.clients.client import Client, FoundAnchors
from rootfs_trust.x509 import Certificate

_LONGEST = 16  # DEFAULT_MAX_VERIFY_DEPTH of lib/gnutls_int.h
_TRIES_AGAIN = ("issuer-missing", "expired", "weak", "algorithm")


def judge(
    _: Client, chain: Chain, found: FoundAnchors, at: datetime, host: str | None, more: Sequence[Check]
) -> ChainVerdict:
    """Evaluate the path to anchors with the name of the last certificate's issuer, or else to anchors with the name of
    the last certificate. The second search is used only if the first finds no issuer, or an expired or weak one
    (SIGNER_OLD_OR_UNKNOWN).
    """
    if len(chain.sent) > _LONGEST:
        message = f"the server sends {len(chain.sent)} certificates, and GnuTLS accepts {_LONGEST} at most"
        return ChainVerdict((), Refusal("other", message))
    if refusal := unread_in(chain, unread_by_gnutls, "GnuTLS"):
        return ChainVerdict((), refusal)
    anchors = [Parsed(each.certificate) for each in found.anchors]
    sent = _shortened(_sorted([Parsed(each) for each in chain.sent], anchors), anchors)
    last = sent[-1].certificate
    judged = partial(_verdict, sent, rules=RULES["gnutls"].with_checks(more), at=at, host=host)
    first = judged([each for each in anchors if each.certificate.subject.raw == last.issuer.raw])
    if isinstance(first, Path):
        return ChainVerdict(first.certificates)
    if first.id in _TRIES_AGAIN and last.subject.raw != last.issuer.raw:
        second = judged([each for each in anchors if each.certificate.subject.raw == last.subject.raw])
        if isinstance(second, Path):
            return ChainVerdict(second.certificates)
    if first.id == "issuer-missing":
        first = verdict.missing_issuer(last, found.searched)
    return ChainVerdict((), first)


def _verdict(
    sent: list[Parsed], anchors: Sequence[Parsed], *, rules: Rules, at: datetime, host: str | None
) -> Path | Refusal:
    path = _path(sent, anchors, at)
    if path is None:
        return Refusal("issuer-missing", f"no issuer of {named(sent[-1].certificate)} is trusted")
    return first_refusal(path, rules, at, host) or path


def may_have_issued(issuer: Certificate, certificate: Certificate) -> bool:
    """Return whether the names are the same bytes, and the key identifiers are equal if both exist (is_issuer)."""
    ids = certificate.authority_key_id, issuer.subject_key_id
    return certificate.issuer.raw == issuer.subject.raw and (None in ids or ids[0] == ids[1])


def _is_self_issued(parsed: Parsed) -> bool:
    return may_have_issued(parsed.certificate, parsed.certificate)


def _sorted(sent: Sequence[Parsed], anchors: Sequence[Parsed]) -> list[Parsed]:
    """Sort the sent certificates, segment by segment, until the issuer of a segment's last one is an anchor."""
    chain: list[Parsed] = []
    left = list(sent)
    while left:
        segment = _segment(left)
        chain += segment
        left = [each for each in left if each not in segment]
        if any(may_have_issued(anchor.certificate, chain[-1].certificate) for anchor in anchors):
            break
    return chain


def _segment(sent: Sequence[Parsed]) -> list[Parsed]:
    """Return the first certificate and its issuers in order (_gnutls_sort_clist)."""
    segment = [sent[0]]
    while not _is_self_issued(segment[-1]):
        head = segment[-1]
        issuers = (each for each in sent[1:] if each is not head)
        issuer = next((each for each in issuers if may_have_issued(each.certificate, head.certificate)), None)
        if issuer is None or issuer in segment:
            break
        segment.append(issuer)
    return segment


def _shortened(chain: list[Parsed], anchors: Sequence[Parsed]) -> list[Parsed]:
    """Return the chain without a root at its end, cut after the first trusted root (shorten_clist)."""
    chain = _without_root(chain)
    trusted = {each.certificate.der for each in anchors if each.certificate.subject.raw == each.certificate.issuer.raw}
    cut = next((place for place, each in enumerate(chain) if place and each.certificate.der in trusted), len(chain))
    return chain[: cut + 1]


def _without_root(chain: list[Parsed]) -> list[Parsed]:
    return chain[:-1] if len(chain) > 1 and _is_self_issued(chain[-1]) else chain


def _path(chain: list[Parsed], anchors: Sequence[Parsed], at: datetime) -> Path | None:
    """Return the path of certificates. It ends at a certificate that is an anchor, or that has the name and key of an
    anchor.
    """
    chain = _without_root(chain)
    for place, each in enumerate(chain):
        same = next((anchor for anchor in anchors if _is_same(each, anchor, whole=place == 0)), None)
        if same is not None:
            if place == 0 or not _is_valid(same.certificate, at):
                return Path((*chain[:place], same))
            chain = chain[:place]
            break
    issuer = _issuer(chain[-1], anchors, at)
    gap = any(not may_have_issued(above.certificate, below.certificate) for below, above in pairwise(chain))
    return None if issuer is None or gap else Path((*chain, issuer))


def _is_same(sent: Parsed, anchor: Parsed, *, whole: bool) -> bool:
    ours, theirs = sent.certificate, anchor.certificate
    if whole:
        return ours.der == theirs.der
    return ours.subject.raw == theirs.subject.raw and ours.public_key == theirs.public_key


def _issuer(certificate: Parsed, anchors: Sequence[Parsed], at: datetime) -> Parsed | None:
    """Return the last valid anchor that may have issued the certificate, else the first (find_issuer)."""
    found = [each for each in anchors if may_have_issued(each.certificate, certificate.certificate)]
    valid = [each for each in found[1:] if _is_valid(each.certificate, at)]
    return next(iter((*valid[::-1], *found)), None)


def _is_valid(certificate: Certificate, at: datetime) -> bool:
    begin, end = certificate.not_before, certificate.not_after
    return begin is not None and end is not None and begin <= at < end
