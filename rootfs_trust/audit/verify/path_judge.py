"""How a client judges that tries every path: it trusts if one path passes all of its checks."""

from __future__ import annotations

from datetime import datetime

from rootfs_trust.audit.clients.client import Client, Found
from rootfs_trust.audit.verify import verdict
from rootfs_trust.audit.verify.chain import Chain
from rootfs_trust.audit.verify.parsed import Parsed
from rootfs_trust.audit.verify.paths import Path, Search
from rootfs_trust.audit.verify.rules import RULES, Rules
from rootfs_trust.audit.verify.verdict import Judgement, Refusal, named
from rootfs_trust.x509 import Certificate


def judge(client: Client, chain: Chain, found: Found, at: datetime, host: str | None) -> Judgement:
    """The first path without a fault; else why the first path has one; else what is missing."""
    rules = RULES[client.engine]
    anchors = [Parsed(anchor.certificate) for anchor in found.anchors]
    search = Search(anchors, [Parsed(each) for each in chain.others], rules.pinned is not None, rules.folded)
    refusals = []
    for path in search.paths(Parsed(chain.server)):
        refusal = _refusal(path, rules, at, host)
        if refusal is None:
            return Judgement(path.certificates)
        refusals.append(refusal)
    return Judgement((), refusals[0] if refusals else _no_path(search.stuck, chain.server, found.looked))


def _refusal(path: Path, rules: Rules, at: datetime, host: str | None) -> Refusal | None:
    checks = rules.pinned or () if path.pinned else rules.checks
    return next((refusal for check in checks if (refusal := check(path, at, host))), None)


def _no_path(stuck: list[tuple[Certificate, bool]], server: Certificate, looked: str) -> Refusal:
    certificate, has_namesake = stuck[0] if stuck else (server, False)
    if has_namesake:
        message = f"{looked} holds a certificate named {certificate.issuer.text}, but its key has not signed"
        return Refusal("bad-signature", f"{message} {named(certificate)}")
    return verdict.missing_issuer(certificate, looked)
