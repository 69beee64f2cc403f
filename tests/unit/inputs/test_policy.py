"""What an anchor must be; the edges that no certificate of a sane CA reaches."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from rootfs_trust import check, install
from rootfs_trust.audit.check import KINDS
from rootfs_trust.audit.checks import anchors
from rootfs_trust.errors import Problem, ProblemType
from rootfs_trust.inputs import policy
from rootfs_trust.inputs.policy import Policy, PolicyResult, judge
from rootfs_trust.store.selection import Selection
from rootfs_trust.x509 import parse_certificate
from tests.support.authority import NOW, Authority

STRICT = Policy(strict=True, min_days_left=10**9, require_ca=True)


def with_times(authority: Authority, before: bytes | None = None, after: bytes | None = None):
    """The certificate with other texts in the places of its dates; nobody here looks at the signature."""
    der = authority.der
    for old, new in (
        (authority.certificate.not_valid_before_utc, before),
        (authority.certificate.not_valid_after_utc, after),
    ):
        text = f"{old:%y%m%d%H%M%SZ}".encode()
        assert der.count(text) == 1 and len(new or text) == len(text)
        der = der.replace(text, new or text)
    return parse_certificate(der)


@pytest.mark.parametrize("which", ["before", "after"])
@pytest.mark.parametrize("text", [b"991332000000Z", b"             ", b"9999999999999"])
def test_dates_that_are_none_are_refused(authority, which, text):
    certificate = with_times(authority, **{which: text})
    for wanted in (Policy(), STRICT):
        judgement = judge(certificate, "f:1", wanted, NOW)
        assert "unreadable-dates" in [error.id for error in judgement.errors]
        assert "expired" not in [error.id for error in judgement.errors]


def test_the_end_of_the_calendar():
    certificate = parse_certificate(Authority("Forever", not_after=datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC)).der)
    assert judge(certificate, "f:1", Policy(), NOW).warnings == ()
    (error,) = judge(certificate, "f:1", STRICT, NOW).errors
    assert error.id == "expires-soon"


def test_only_the_error_that_is_named_is_waived():
    server = Authority("Issuer").server("x", not_before=datetime(2000, 1, 1), not_after=datetime(2001, 1, 1))
    certificate = parse_certificate(server.der)
    judged = [
        [error.id for error in judge(certificate, "f", Policy(), NOW, allow=frozenset(allow)).errors]
        for allow in ((), ("expired",))
    ]
    assert judged == [["expired", "not-an-anchor"], ["not-an-anchor"]]


def test_a_policy_violation_without_a_finding_type_is_a_finding_anyway(debian, authority, monkeypatch):
    (debian.path / "usr/local/share/ca-certificates/ca.crt").write_bytes(authority.pem)
    install(debian.root)

    def judged(certificate, where, policy, at, *, allow):
        found = judge(certificate, where, policy, at, allow=allow)
        return PolicyResult((*found.errors, Problem("too-long", where, "is valid for too long", "shorten it")), ())

    monkeypatch.setattr(anchors, "judge", judged)
    found = [each for each in check(debian.root) if each.id == "too-long"]
    assert {(each.level, each.fix) for each in found} >= {("error", "shorten it"), ("note", "shorten it")}


def test_every_problem_of_the_policy_is_a_kind_of_finding():
    ids = {each.id for each in vars(policy).values() if isinstance(each, ProblemType)}
    assert "weak-key" in ids and ids <= set(KINDS)


def test_forbidden_ones_are_refused_whatever_is_allowed(authority):
    certificate = parse_certificate(authority.der)
    policy = Policy(forbid=(Selection("", frozenset((authority.sha256,))),))
    assert [e.id for e in judge(certificate, "f", policy, NOW, allow=frozenset(["expired"])).errors] == ["forbidden"]
