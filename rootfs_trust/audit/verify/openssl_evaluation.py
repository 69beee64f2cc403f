"""Evaluate a chain as an OpenSSL client does, and explain OpenSSL's errors."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from rootfs_trust.audit.verify import verdict
from rootfs_trust.audit.verify.chain import Chain
from rootfs_trust.audit.verify.host_names import names_of, no_alternative_name, wrong_name
from rootfs_trust.audit.verify.lazy_certificate import Parsed
from rootfs_trust.audit.verify.openssl_engine import Flags, OpensslResult, verify
from rootfs_trust.audit.verify.path_checks import Check
from rootfs_trust.audit.verify.paths import Path
from rootfs_trust.audit.verify.security_level import level_refusal
from rootfs_trust.audit.verify.verdict import ChainVerdict, Refusal, named
from rootfs_trust.clients.client import Client, ClientAnchor, FoundAnchors
from rootfs_trust.x509 import Certificate

_NO_ISSUER, _NO_LOCAL_ISSUER, _NO_SIGNATURE = 2, 20, 21
_BAD_SIGNATURE, _NOT_YET, _EXPIRED = 7, 9, 10
_SELF_SIGNED_SERVER, _SELF_SIGNED_ABOVE = 18, 19
_UNTRUSTED, _REJECTED = 27, 28
_NO_CA, _PATH_LENGTH, _PURPOSE, _NO_KEY_USAGE = (24, 79), 25, 26, 32
_NAME_CONSTRAINTS = range(47, 55)
_HOST, _ADDRESS = 62, 64


def judge(
    client: Client, chain: Chain, found: FoundAnchors, at: datetime, host: str | None, more: Sequence[Check]
) -> ChainVerdict:
    """Return OpenSSL's verdict. The host name is checked last, so that each reason is reported separately. Then apply
    what differs in the device's OpenSSL: its security level, the last second of a validity, and the keys that its
    version supports.
    """
    flags = Flags(client.options.partial, client.options.strict)
    answer = verify(chain.sent, found.anchors, at, flags)
    if not answer.error and host is not None:
        if client.options.san and not names_of(chain.server).hosts:
            return ChainVerdict((), no_alternative_name(chain.server))
        answer = verify(chain.sent, found.anchors, at, flags, host)
    if answer.error:
        why = _refusal(answer, chain, found, host)
        return ChainVerdict((), why if flags.partial else _unless_partial(why, chain, found, at, host))
    path = Path(tuple(map(Parsed, answer.path)))
    refusal = next((refusal for check in more if (refusal := check(path, at, host))), None)
    refusal = refusal or _last_second(answer.path, at) or level_refusal(answer.path, client.options.level)
    return ChainVerdict((), refusal) if refusal else ChainVerdict(answer.path)


def _last_second(path: tuple[Certificate, ...], at: datetime) -> Refusal | None:
    """Refuse in the last second of a validity, as OpenSSL before 4.0 does (X509_cmp_time)."""
    return next((verdict.expired(each) for each in path if each.not_after == at), None)


def _unless_partial(refusal: Refusal, chain: Chain, found: FoundAnchors, at: datetime, host: str | None) -> Refusal:
    """Return the refusal. If programs that accept partial chains trust the server, add that to its text."""
    if refusal.id != "issuer-missing" or verify(chain.sent, found.anchors, at, Flags(partial=True), host).error:
        return refusal
    return Refusal(refusal.id, f"{refusal.reason} (curl, and Python since 3.13, trust it anyway)")


def _refusal(answer: OpensslResult, chain: Chain, found: FoundAnchors, host: str | None) -> Refusal:
    certificate = answer.at or chain.server
    error = answer.error
    if error in (_NO_LOCAL_ISSUER, _NO_SIGNATURE, _SELF_SIGNED_SERVER, _SELF_SIGNED_ABOVE):
        return verdict.missing_issuer(certificate, found.searched)
    if error == _NO_ISSUER:
        return _half_a_chain(certificate, found)
    if error in (_EXPIRED, _NOT_YET):
        return (verdict.expired if error == _EXPIRED else verdict.not_yet_valid)(certificate)
    if error in (_REJECTED, _UNTRUSTED):
        return verdict.distrusted(certificate, _place(certificate, found.anchors) or found.searched)
    if error in (_HOST, _ADDRESS) and host is not None:
        return wrong_name(chain.server, host)
    return _other(answer, certificate)


def _half_a_chain(certificate: Certificate, found: FoundAnchors) -> Refusal:
    """Return the refusal for a chain that ends at an intermediate in the store whose root is missing."""
    refusal = verdict.missing_issuer(certificate, found.searched)
    return Refusal(refusal.id, f"{refusal.reason}; OpenSSL also requires the self-signed root")


def _other(answer: OpensslResult, certificate: Certificate) -> Refusal:
    kinds = {
        "bad-signature": (_BAD_SIGNATURE,),
        "not-a-ca": (*_NO_CA, _PATH_LENGTH, _NO_KEY_USAGE),
        "purpose": (_PURPOSE,),
        "constraints": _NAME_CONSTRAINTS,
    }
    kind = next((kind for kind, errors in kinds.items() if answer.error in errors), "other")
    return Refusal(kind, f"OpenSSL refuses {named(certificate)}: {answer.words}")


def _place(certificate: Certificate, anchors: tuple[ClientAnchor, ...]) -> str:
    return next((each.path for each in anchors if each.certificate.sha256 == certificate.sha256), "")
