"""How an OpenSSL client judges, and what its errors mean in the user's words."""

from __future__ import annotations

from datetime import datetime

from rootfs_trust.audit.clients.client import Anchor, Client, Found
from rootfs_trust.audit.verify import verdict
from rootfs_trust.audit.verify.chain import Chain
from rootfs_trust.audit.verify.host_names import names_of, no_alternative_name, wrong_name
from rootfs_trust.audit.verify.openssl_engine import Answer, Flags, verify
from rootfs_trust.audit.verify.security_level import level_refusal
from rootfs_trust.audit.verify.verdict import Judgement, Refusal, named
from rootfs_trust.x509 import Certificate

_NO_ISSUER, _NO_LOCAL_ISSUER, _NO_SIGNATURE = 2, 20, 21
_BAD_SIGNATURE, _NOT_YET, _EXPIRED = 7, 9, 10
_SELF_SIGNED_SERVER, _SELF_SIGNED_ABOVE = 18, 19
_UNTRUSTED, _REJECTED = 27, 28
_NO_CA, _PATH_LENGTH, _PURPOSE, _NO_KEY_USAGE = (24, 79), 25, 26, 32
_NAME_CONSTRAINTS = range(47, 55)
_HOST, _ADDRESS = 62, 64


def judge(client: Client, chain: Chain, found: Found, at: datetime, host: str | None) -> Judgement:
    """The engine's answer, without the host first, so that each reason comes alone; then the security level."""
    flags = Flags(client.options.partial, client.options.strict)
    answer = verify(chain.sent, found.anchors, at, flags)
    if not answer.error and host is not None:
        if client.options.san and not names_of(chain.server).hosts:
            return Judgement((), no_alternative_name(chain.server))
        answer = verify(chain.sent, found.anchors, at, flags, host)
    if answer.error:
        why = _refusal(answer, chain, found, host)
        return Judgement((), why if flags.partial else _unless_partial(why, chain, found, at, host))
    refusal = _last_second(answer.path, at) or level_refusal(answer.path, client.options.level)
    return Judgement((), refusal) if refusal else Judgement(answer.path)


def _last_second(path: tuple[Certificate, ...], at: datetime) -> Refusal | None:
    """Before 4.0, which is what devices have, OpenSSL does not count the last second of a validity (X509_cmp_time)."""
    return next((verdict.expired(each) for each in path if each.not_after == at), None)


def _unless_partial(refusal: Refusal, chain: Chain, found: Found, at: datetime, host: str | None) -> Refusal:
    """The refusal; told, too, where programs that take any certificate of the store for an anchor have none."""
    if refusal.id != "missing-issuer" or verify(chain.sent, found.anchors, at, Flags(partial=True), host).error:
        return refusal
    return Refusal(refusal.id, f"{refusal.reason} (curl, and Python since 3.13, trust it all the same)")


def _refusal(answer: Answer, chain: Chain, found: Found, host: str | None) -> Refusal:
    certificate = answer.at or chain.server
    error = answer.error
    if error in (_NO_LOCAL_ISSUER, _NO_SIGNATURE, _SELF_SIGNED_SERVER, _SELF_SIGNED_ABOVE):
        return verdict.missing_issuer(certificate, found.looked)
    if error == _NO_ISSUER:
        return _half_a_chain(certificate, found)
    if error in (_EXPIRED, _NOT_YET):
        return (verdict.expired if error == _EXPIRED else verdict.not_yet_valid)(certificate)
    if error in (_REJECTED, _UNTRUSTED):
        return verdict.distrusted(certificate, _place(certificate, found.anchors) or found.looked)
    if error in (_HOST, _ADDRESS) and host is not None:
        return wrong_name(chain.server, host)
    return _other(answer, certificate)


def _half_a_chain(certificate: Certificate, found: Found) -> Refusal:
    """An intermediate in the store without its root."""
    refusal = verdict.missing_issuer(certificate, found.looked)
    return Refusal(refusal.id, f"{refusal.reason}; OpenSSL wants the self-signed root, too")


def _other(answer: Answer, certificate: Certificate) -> Refusal:
    kinds = {
        "bad-signature": (_BAD_SIGNATURE,),
        "not-a-ca": (*_NO_CA, _PATH_LENGTH, _NO_KEY_USAGE),
        "purpose": (_PURPOSE,),
        "constraints": _NAME_CONSTRAINTS,
    }
    kind = next((kind for kind, errors in kinds.items() if answer.error in errors), "other")
    return Refusal(kind, f"OpenSSL refuses {named(certificate)}: {answer.words}")


def _place(certificate: Certificate, anchors: tuple[Anchor, ...]) -> str:
    return next((each.path for each in anchors if each.certificate.sha256 == certificate.sha256), "")
