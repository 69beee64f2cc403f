"""What an anchor must be before it goes into an image. Pure: the time is an argument."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from rootfs_trust.errors import Trouble
from rootfs_trust.x509 import Certificate


@dataclass(frozen=True, slots=True)
class Policy:
    """The ``[policy]`` table of rootfs-trust.toml; its defaults."""

    min_rsa_bits: int = 2048
    min_days_left: int = 0
    require_ca: bool = False
    strict: bool = False
    forbid: frozenset[str] = frozenset()


DEFAULT_POLICY = Policy()


@dataclass(frozen=True, slots=True)
class Judgement:
    """``errors`` refuse the anchor; ``warnings`` are told."""

    errors: tuple[Trouble, ...]
    warnings: tuple[Trouble, ...]


def judge(
    certificate: Certificate, where: str, policy: Policy, at: datetime, *, allow: frozenset[str] = frozenset()
) -> Judgement:
    """Hold ``certificate`` against ``policy`` at the time ``at``; ``allow`` names errors that are waived."""
    errors = [error for error in _errors(certificate, where, policy, at) if error.id not in allow]
    breaches = list(_breaches(certificate, where, policy, at))
    warnings = list(_warnings(certificate, where, at))
    if certificate.not_after and certificate.not_after < at and "expired" in allow:
        warnings.append(Trouble("expired", where, f"expired on {_day(certificate.not_after)}, and is let in"))
    if policy.strict:
        return Judgement((*errors, *breaches), tuple(warnings))
    return Judgement(tuple(errors), (*breaches, *warnings))


def _errors(certificate: Certificate, where: str, policy: Policy, at: datetime) -> Iterator[Trouble]:
    if certificate.sha256 in policy.forbid:
        yield Trouble(
            "forbidden",
            where,
            f"sha256 {certificate.sha256} must never ship",
            "[policy] forbid in rootfs-trust.toml lists it",
        )
    if certificate.not_after is None or certificate.not_before is None:
        yield Trouble(
            "unreadable-dates",
            where,
            "the validity dates cannot be read",
            "no client will accept it; have it issued again",
        )
    elif certificate.not_after < at:
        yield Trouble(
            "expired",
            where,
            f"expired on {_day(certificate.not_after)}",
            'renew it; or let it in by allow = ["expired"] in rootfs-trust.toml',
        )
    if not certificate.is_ca and not certificate.self_signed:
        yield Trouble(
            "not-an-anchor",
            where,
            f"is a certificate that another CA signed ({certificate.issuer.text}), no CA itself",
            "give the certificate of that CA",
        )
    elif not certificate.is_ca and policy.require_ca:
        yield Trouble("not-a-ca", where, "is no CA certificate", "[policy] require_ca asks for one")


def _breaches(certificate: Certificate, where: str, policy: Policy, at: datetime) -> Iterator[Trouble]:
    """What a policy sets bounds to: warnings, or errors where it is strict."""
    bits = certificate.key_bits
    if certificate.key_algorithm == "RSA" and bits is not None and bits < policy.min_rsa_bits:
        yield Trouble(
            "weak-key",
            where,
            f"has an RSA key of {bits} bits; the policy asks for {policy.min_rsa_bits}",
            "many clients refuse it; have it issued anew with a stronger key",
        )
    ends = certificate.not_after
    if ends and at <= ends and (ends - at).days < policy.min_days_left:
        yield Trouble(
            "expires-soon",
            where,
            f"expires on {_day(ends)}, in less than {policy.min_days_left} days",
            "renew it before the image ships",
        )


def _warnings(certificate: Certificate, where: str, at: datetime) -> Iterator[Trouble]:
    if not certificate.is_ca and certificate.self_signed:
        yield Trouble(
            "not-a-ca",
            where,
            "is no CA but signed by itself: every client that trusts it accepts a "
            "server that shows this very certificate, and refuses any other that its key signed",
            "where you can, sign the server's certificate with a CA and install that",
        )
    if certificate.is_ca and certificate.self_signed and certificate.names_servers:
        yield Trouble(
            "ca-names-server",
            where,
            "is a CA that names a host: rustls refuses a server that shows this very certificate (CaUsedAsEndEntity), "
            "and so do thin-edge.io's HTTPS and built-in bridge, while mosquitto's bridge connects",
            "have the server's certificate issued with CA:FALSE, or signed by this CA",
        )
    if certificate.not_before and certificate.not_before > at:
        yield Trouble(
            "not-yet-valid",
            where,
            f"is not valid before {_day(certificate.not_before)}",
            "devices whose clock is earlier will refuse it",
        )


def _day(time: datetime) -> str:
    return time.strftime("%Y-%m-%d")
