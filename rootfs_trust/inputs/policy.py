"""Check an anchor against ``[policy]``. The time is an argument."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import NamedTuple

from rootfs_trust.errors import (
    CA_NAMES_SERVER,
    EXPIRED,
    EXPIRES_SOON,
    FORBIDDEN,
    NOT_A_CA,
    NOT_AN_ANCHOR,
    NOT_YET_VALID,
    UNREADABLE_DATES,
    WEAK_KEY,
    Problem,
)
from rootfs_trust.store.selection import Selection, selected
from rootfs_trust.x509 import Certificate


class Policy(NamedTuple):
    """The ``[policy]`` table of rootfs-trust.toml, with its defaults."""

    min_rsa_bits: int = 2048
    min_days_left: int = 0
    require_ca: bool = False
    strict: bool = False
    forbid: tuple[Selection, ...] = ()
    allow_only: tuple[Selection, ...] = ()
    """If not empty, the only anchors that the tree may trust, apart from those of the configuration."""


DEFAULT_POLICY = Policy()


class PolicyResult(NamedTuple):
    """The violations of a policy by an anchor. An anchor with ``errors`` is refused, one with ``warnings`` is
    installed.
    """

    errors: tuple[Problem, ...]
    warnings: tuple[Problem, ...]


def judge(
    certificate: Certificate, where: str, policy: Policy, at: datetime, *, allow: frozenset[str] = frozenset()
) -> PolicyResult:
    """Check ``certificate`` against ``policy`` at the time ``at``. ``allow`` has ids of errors that are accepted."""
    errors = [error for error in _errors(certificate, where, policy, at) if error.id not in allow]
    breaches = list(_breaches(certificate, where, policy, at))
    warnings = list(_warnings(certificate, where, at))
    if certificate.not_after and certificate.not_after < at and "expired" in allow:
        warnings.append(EXPIRED(where, f"expired on {_day(certificate.not_after)}, but is accepted"))
    if policy.strict:
        return PolicyResult((*errors, *breaches), tuple(warnings))
    return PolicyResult(tuple(errors), (*breaches, *warnings))


def _errors(certificate: Certificate, where: str, policy: Policy, at: datetime) -> Iterator[Problem]:
    if selected(policy.forbid, certificate):
        yield FORBIDDEN(where, f"sha256 {certificate.sha256} is forbidden")
    if certificate.not_after is None or certificate.not_before is None:
        yield UNREADABLE_DATES(where, "the validity dates cannot be parsed")
    elif certificate.not_after < at:
        hint = 'renew it, or accept it with allow = ["expired"] in rootfs-trust.toml'
        yield EXPIRED(where, f"expired on {_day(certificate.not_after)}", hint)
    if not certificate.is_ca and not certificate.self_signed:
        yield NOT_AN_ANCHOR(where, f"is not a CA, and was signed by another CA ({certificate.issuer.text})")
    elif not certificate.is_ca and policy.require_ca:
        yield NOT_A_CA(where, "is not a CA certificate", "[policy] require_ca requires one")


def _breaches(certificate: Certificate, where: str, policy: Policy, at: datetime) -> Iterator[Problem]:
    """Return the violations of the limits in a policy. They are warnings, or errors if the policy is strict."""
    bits = certificate.key_bits
    if certificate.key_algorithm == "RSA" and bits is not None and bits < policy.min_rsa_bits:
        yield WEAK_KEY(where, f"has an RSA key of {bits} bits, but the policy requires {policy.min_rsa_bits}")
    ends = certificate.not_after
    if ends and at <= ends and (ends - at).days < policy.min_days_left:
        yield EXPIRES_SOON(where, f"expires on {_day(ends)}, in less than {policy.min_days_left} days")


def _warnings(certificate: Certificate, where: str, at: datetime) -> Iterator[Problem]:
    if not certificate.is_ca and certificate.self_signed:
        yield NOT_A_CA(
            where,
            "is self-signed and not a CA; clients that trust it accept only a server that uses this certificate, and "
            "refuse any other certificate that its key signed",
            "if possible, sign the server's certificate with a CA and install that CA",
        )
    if certificate.is_ca and certificate.self_signed and certificate.names_servers:
        yield CA_NAMES_SERVER(
            where,
            "is a CA that names a host; rustls refuses a server that uses this certificate (CaUsedAsEndEntity), and so "
            "do thin-edge.io's HTTPS client and built-in bridge, while mosquitto's bridge connects",
        )
    if certificate.not_before and certificate.not_before > at:
        yield NOT_YET_VALID(where, f"is not valid before {_day(certificate.not_before)}")


def _day(time: datetime) -> str:
    return str(time.date())
