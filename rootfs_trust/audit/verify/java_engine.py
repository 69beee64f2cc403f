"""Find a path as Java does: the chain as sent, if it leads to an anchor, or else a search.

PKIXValidator, PKIXCertPathValidator, SunCertPathBuilder and ForwardBuilder of OpenJDK 17 to 25.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime

from rootfs_trust.audit.verify.chain import Chain
from rootfs_trust.audit.verify.lazy_certificate import Parsed
from rootfs_trust.audit.verify.path_checks import Check, outside_validity
from rootfs_trust.audit.verify.path_evaluation import first_of, no_path, unread_in
from rootfs_trust.audit.verify.paths import LONGEST, Path
from rootfs_trust.audit.verify.rules import RULES, unread_by_java
from rootfs_trust.audit.verify.verdict import ChainVerdict
from rootfs_trust.clients.client import Client, FoundAnchors
from rootfs_trust.x509 import Certificate
from rootfs_trust.x509.oids import SUBJECT_KEY_ID

_MOST_PATHS = 200


def judge(
    _: Client, chain: Chain, found: FoundAnchors, at: datetime, host: str | None, more: Sequence[Check]
) -> ChainVerdict:
    """Return the verdict for the first path that passes all checks. If the chain as sent leads to an anchor, only that
    path is tried.
    """
    if refusal := unread_in(chain, unread_by_java, "Java"):
        return ChainVerdict((), refusal)
    sent = [Parsed(each) for each in chain.sent]
    anchors = [Parsed(each.certificate) for each in found.anchors]
    straight = _straight(sent, anchors)
    paths = _built(sent, anchors, at) if straight is None else iter(straight)
    judgement = first_of(paths, RULES["java"].with_checks(more), at, host)
    return judgement or no_path([], chain.server, found.searched)


def _straight(sent: Sequence[Parsed], anchors: Sequence[Parsed]) -> list[Path] | None:
    """Return the paths through the chain as sent to an anchor, or None if it leads to none."""
    trusted = {each.certificate.der for each in anchors}
    keys = {(each.certificate.subject, each.certificate.public_key) for each in anchors}
    if sent[0].certificate.der in trusted:
        return [Path((sent[0],))]
    for place, each in enumerate(sent[1:], 1):
        certificate = each.certificate
        if certificate.subject != sent[place - 1].certificate.issuer:
            return None
        if certificate.der in trusted or (certificate.subject, certificate.public_key) in keys:
            return _with_anchors(sent[:place], anchors)
    if any(each.certificate.subject == sent[-1].certificate.issuer for each in anchors):
        return _with_anchors(sent, anchors)
    return None


def _with_anchors(chain: Sequence[Parsed], anchors: Sequence[Parsed]) -> list[Path]:
    last = chain[-1].certificate
    return [Path((*chain, each)) for each in anchors if may_have_issued(each.certificate, last)]


def _built(sent: Sequence[Parsed], anchors: Sequence[Parsed], at: datetime) -> Iterator[Path]:
    """Yield paths by depth-first search by names, up to a limit. Two self-issued certificates in a row end a branch.

    An anchor must be valid, unless it issued the server's certificate: ForwardBuilder.getMatchingCACerts keeps the
    criterion of the first search for issuers in the next one.
    """
    left = _MOST_PATHS

    def up(below: tuple[Parsed, ...]) -> Iterator[Path]:
        nonlocal left
        head = below[-1].certificate
        for anchor in anchors:
            valid = len(below) == 1 or outside_validity(anchor.certificate, at) is None
            if anchor.certificate.subject == head.issuer and valid and left:
                left -= 1
                yield Path((*below, anchor))
        for each in sent:
            certificate = each.certificate
            if len(below) < LONGEST and certificate.subject == head.issuer and not _repeats(certificate, below):
                if certificate.self_issued and head.self_issued and len(below) > 1:
                    continue
                yield from up((*below, each))

    return up((sent[0],))


def may_have_issued(issuer: Certificate, certificate: Certificate) -> bool:
    """Compare names, key identifier and serial number as AdaptableX509CertSelector does.

    A critical subjectKeyIdentifier, which RFC 5280 forbids, never matches.
    """
    if issuer.subject != certificate.issuer:
        return False
    wanted, there = certificate.authority_key_id, issuer.subject_key_id
    return SUBJECT_KEY_ID not in issuer.critical and (None in (wanted, there) or wanted == there)


def _repeats(certificate: Certificate, below: Sequence[Parsed]) -> bool:
    return any(
        certificate.subject == each.certificate.subject
        and certificate.public_key == each.certificate.public_key
        and certificate.alternative_names == each.certificate.alternative_names
        for each in below
    )
