"""Evaluate a chain for clients that try every path: they trust it if one path passes all checks."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from datetime import datetime

from rootfs_trust.audit.verify import verdict
from rootfs_trust.audit.verify.chain import Chain
from rootfs_trust.audit.verify.lazy_certificate import Parsed
from rootfs_trust.audit.verify.path_checks import Check
from rootfs_trust.audit.verify.paths import Path, PathSearch
from rootfs_trust.audit.verify.rules import RULES, Rules, unread_by_go
from rootfs_trust.audit.verify.verdict import ChainVerdict, Refusal, named
from rootfs_trust.clients.client import Client, FoundAnchors
from rootfs_trust.x509 import Certificate


def judge(
    client: Client, chain: Chain, found: FoundAnchors, at: datetime, host: str | None, more: Sequence[Check]
) -> ChainVerdict:
    """Return the first path that passes all checks. Without one, return the refusal of the first path, or the missing
    issuer if there is no path.
    """
    if client.engine == "go" and (refusal := unread_in(chain, unread_by_go, "Go")):
        return ChainVerdict((), refusal)
    rules = RULES[client.engine].with_checks(more)
    anchors = [Parsed(anchor.certificate) for anchor in found.anchors]
    search = PathSearch(anchors, [Parsed(each) for each in chain.others], rules.pinned is not None)
    judgement = first_of(search.paths(Parsed(chain.server)), rules, at, host)
    return judgement or no_path(search.stuck, chain.server, found.searched)


def first_of(paths: Iterable[Path], rules: Rules, at: datetime, host: str | None) -> ChainVerdict | None:
    """Return the verdict for the first path that passes, or else for the first path; None if there is no path."""
    refusals = []
    for path in paths:
        refusal = first_refusal(path, rules, at, host)
        if refusal is None:
            return ChainVerdict(path.certificates)
        refusals.append(refusal)
    return ChainVerdict((), refusals[0]) if refusals else None


def first_refusal(path: Path, rules: Rules, at: datetime, host: str | None) -> Refusal | None:
    """Run the checks of a client in order, and return the first refusal."""
    checks = rules.pinned or () if path.pinned else rules.checks
    return next((refusal for check in checks if (refusal := check(path, at, host))), None)


def unread_in(chain: Chain, fault: Callable[[Certificate], str], client: str) -> Refusal | None:
    """Refuse a chain if the client cannot parse any of its certificates, even one that it does not need."""
    for each in chain.sent:
        reason = fault(each)
        if reason:
            return Refusal("malformed", f"{client} cannot read {named(each)}, which the server sends: {reason}")
    return None


def no_path(stuck: list[tuple[Certificate, bool]], server: Certificate, searched: str) -> ChainVerdict:
    """Return a refusal that says what is missing; see ``PathSearch.stuck``."""
    certificate, has_namesake = stuck[0] if stuck else (server, False)
    if has_namesake:
        message = f"{searched} holds a certificate named {certificate.issuer.text}, but its key has not signed"
        return ChainVerdict((), Refusal("bad-signature", f"{message} {named(certificate)}"))
    return ChainVerdict((), verdict.missing_issuer(certificate, searched))
