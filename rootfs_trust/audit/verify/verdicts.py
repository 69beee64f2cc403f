"""Compute the verdict of each client of a tree."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from functools import partial

from rootfs_trust.audit.unreadable_anchors import lost_keystore
from rootfs_trust.audit.verify import gnutls_engine, java_engine, mbedtls_engine, openssl_evaluation, path_evaluation
from rootfs_trust.audit.verify.chain import Chain
from rootfs_trust.audit.verify.path_checks import Check
from rootfs_trust.audit.verify.planned_removals import PlannedRemoval
from rootfs_trust.audit.verify.trust_end import horizon
from rootfs_trust.audit.verify.verdict import ChainVerdict, Refusal, Verdict, named
from rootfs_trust.audit.verify.version_checks import VersionChecks
from rootfs_trust.audit.verify.versions import Assumed
from rootfs_trust.clients.client import Client, ClientAnchor, FoundAnchors
from rootfs_trust.x509 import Certificate

Judge = Callable[[Client, Chain, FoundAnchors, datetime, "str | None", Sequence[Check]], ChainVerdict]

JUDGES: Mapping[str, Judge] = {
    "openssl": openssl_evaluation.judge,
    "gnutls": gnutls_engine.judge,
    "go": path_evaluation.judge,
    "rustls": path_evaluation.judge,
    "java": java_engine.judge,
    "mbedtls": mbedtls_engine.judge,
}
"""The functions that evaluate a chain, by the name of the engine."""


def verdicts(
    clients: Iterable[Client],
    chain: Chain,
    at: datetime,
    host: str | None,
    leaves: Callable[[Certificate], PlannedRemoval | None],
    versions: Assumed,
) -> Iterator[Verdict]:
    """Yield one verdict per client, in the order of the clients. If several clients have the same name and path, yield
    the best verdict.
    """
    best: dict[tuple[str, str], Verdict] = {}
    for client in clients:
        found = _verdict(client, chain, at, host, leaves, versions)
        key = (client.name, client.because)
        if key not in best or (found.trusted and not best[key].trusted):
            best[key] = found
    yield from best.values()


def _verdict(
    client: Client,
    chain: Chain,
    at: datetime,
    host: str | None,
    leaves: Callable[[Certificate], PlannedRemoval | None],
    versions: Assumed,
) -> Verdict:
    found = client.find(chain.sent)
    if client.engine == "java" and not found.cannot_start:
        found = replace(found, cannot_start=lost_keystore(each.certificate for each in found.anchors))
    more = VersionChecks(client, versions)
    concerned = FoundAnchors(related(chain.sent, found.anchors), found.searched, found.faults, found.cannot_start)
    judge = partial(_chain_verdict, JUDGES[client.engine], client, chain, concerned, host, more.checks)
    judgement = judge(at)
    if judgement.refusal:
        return _refused(client, judgement.refusal, found)
    several = (*chain.sent, *(anchor.certificate for anchor in concerned.anchors))
    end = horizon(judge, several, at, leaves)
    anchor = judgement.path[-1]
    place = next((each.path for each in concerned.anchors if each.certificate.sha256 == anchor.sha256), found.searched)
    reason = f"trusted by {named(anchor)} in {place}"
    note = "; ".join(filter(None, (client.note, more.note)))
    return Verdict(client.name, True, reason, "", found.searched, note, end, judgement.path)


def _chain_verdict(
    engine: Judge,
    client: Client,
    chain: Chain,
    found: FoundAnchors,
    host: str | None,
    more: Sequence[Check],
    at: datetime,
) -> ChainVerdict:
    if found.cannot_start:
        return ChainVerdict((), Refusal("client", found.cannot_start))
    return engine(client, chain, found, at, host, more)


def _refused(client: Client, refusal: Refusal, found: FoundAnchors) -> Verdict:
    """Return the verdict for a refusal, with a note about files that could not be read."""
    reason = refusal.reason
    if refusal.id == "issuer-missing" and found.faults:
        reason = "; ".join((reason, *found.faults[:3]))
    return Verdict(client.name, False, reason, refusal.id, found.searched, client.note)


def related(sent: Sequence[Certificate], anchors: Sequence[ClientAnchor]) -> tuple[ClientAnchor, ...]:
    """Return the anchors that may be part of a path: the server sends them, or they have the name of an issuer."""
    names = {each.subject for each in sent} | {each.issuer for each in sent}
    while True:
        found = tuple(anchor for anchor in anchors if anchor.certificate.subject in names)
        above = {anchor.certificate.issuer for anchor in found}
        if above <= names:
            return found
        names |= above
