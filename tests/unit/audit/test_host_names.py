"""Names of servers, and constraints on them."""

from __future__ import annotations

import ipaddress

import pytest
from cryptography import x509

from rootfs_trust.audit.verify.constraints import NameConstraintRules, forbidden_name
from rootfs_trust.audit.verify.host_names import matches, names_of
from rootfs_trust.x509 import parse_certificate
from tests.support.authority import Authority


@pytest.mark.parametrize(
    ("pattern", "host", "same"),
    [
        ("a.example", "A.EXAMPLE.", True),
        ("a.example", "b.example", False),
        ("*.example.com", "a.example.com", True),
        ("*.example.com", "a.b.example.com", False),
        ("*.example.com", "example.com", False),
        ("*.com", "example.com", False),
        ("b*.example.com", "baz.example.com", False),
        ("xn--mnchen-3ya.example", "münchen.example", True),
        ("", "", False),
    ],
)
def test_a_star_is_the_whole_first_label(pattern: str, host: str, same: bool):
    assert matches(pattern, host) is same


def test_an_address_is_named_by_an_address_only():
    names = names_of(parse_certificate(Authority("10.0.0.1", ca=False, names=("10.0.0.1",)).der))
    assert not names.include("10.0.0.1", common_name=True)
    more = (x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("10.0.0.1"))]),)
    names = names_of(parse_certificate(Authority("x", ca=False, more=more).der))
    assert names.include("10.0.0.1", common_name=False)
    assert not names.include("10.0.0.2", common_name=False)


@pytest.mark.parametrize(
    ("permitted", "excluded", "forbidden"),
    [
        ([x509.DNSName("example.com")], None, ""),
        ([x509.DNSName("com")], [x509.DNSName("example.com")], "a.example.com"),
        ([x509.DNSName("example.org")], None, "a.example.com"),
        ([x509.DNSName("ample.com")], None, "a.example.com"),
        (None, [x509.DirectoryName(x509.Name([]))], "CN=a.example.com"),
        ([x509.IPAddress(ipaddress.ip_network("10.0.0.0/8"))], None, ""),
    ],
)
def test_constraints_bind_the_names_of_their_kind(permitted: list, excluded: list, forbidden: str):
    issuer = Authority("CA", more=(x509.NameConstraints(permitted, excluded),))
    server = parse_certificate(issuer.server("a.example.com").der)
    assert forbidden_name(parse_certificate(issuer.der), [server], NameConstraintRules()) == forbidden
