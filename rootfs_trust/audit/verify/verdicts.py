"""One verdict for each client of a tree."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import datetime
from functools import partial

from rootfs_trust.audit.clients.client import Anchor, Client, Found
from rootfs_trust.audit.verify import openssl_judge, path_judge
from rootfs_trust.audit.verify.chain import Chain
from rootfs_trust.audit.verify.horizon import horizon
from rootfs_trust.audit.verify.shipped import Removal
from rootfs_trust.audit.verify.verdict import Judgement, Refusal, Verdict, named
from rootfs_trust.x509 import Certificate

Judge = Callable[[Client, Chain, Found, datetime, "str | None"], Judgement]


def verdicts(
    clients: Iterable[Client],
    chain: Chain,
    at: datetime,
    host: str | None,
    leaves: Callable[[Certificate], Removal | None],
) -> Iterator[Verdict]:
    """A verdict a client, in their order; of several clients of one name the best one."""
    best: dict[str, Verdict] = {}
    for client in clients:
        found = _verdict(client, chain, at, host, leaves)
        if client.name not in best or (found.trusted and not best[client.name].trusted):
            best[client.name] = found
    yield from best.values()


def _verdict(
    client: Client, chain: Chain, at: datetime, host: str | None, leaves: Callable[[Certificate], Removal | None]
) -> Verdict:
    found = client.find(chain.sent)
    related = Found(_related(chain.sent, found.anchors), found.looked, found.faults, found.dead)
    engine: Judge = openssl_judge.judge if client.engine == "openssl" else path_judge.judge
    judge = partial(_judged, engine, client, chain, related, host)
    judgement = judge(at)
    if judgement.refusal:
        return _refused(client, judgement.refusal, found)
    several = (*chain.sent, *(anchor.certificate for anchor in related.anchors))
    end = horizon(judge, several, at, leaves)
    anchor = judgement.path[-1]
    place = next((each.path for each in related.anchors if each.certificate.sha256 == anchor.sha256), found.looked)
    reason = f"trusted by {named(anchor)} in {place}"
    return Verdict(client.name, True, reason, "", found.looked, client.note, end, judgement.path)


def _judged(engine: Judge, client: Client, chain: Chain, found: Found, host: str | None, at: datetime) -> Judgement:
    if found.dead:
        return Judgement((), Refusal("client", found.dead))
    return engine(client, chain, found, at, host)


def _refused(client: Client, refusal: Refusal, found: Found) -> Verdict:
    """What could not be read may be what is missing."""
    reason = refusal.reason
    if refusal.id == "missing-issuer" and found.faults:
        reason = "; ".join((reason, *found.faults[:3]))
    return Verdict(client.name, False, reason, refusal.id, found.looked, client.note)


def _related(sent: Sequence[Certificate], anchors: Sequence[Anchor]) -> tuple[Anchor, ...]:
    """The anchors that may have a part: those that are sent, and those named as issuers on the way up."""
    names = {each.subject for each in sent} | {each.issuer for each in sent}
    while True:
        found = tuple(anchor for anchor in anchors if anchor.certificate.subject in names)
        above = {anchor.certificate.issuer for anchor in found}
        if above <= names:
            return found
        names |= above
