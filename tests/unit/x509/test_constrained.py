"""A constrained copy of a CA certificate: what stays, what is added, and what cannot be constrained."""

from __future__ import annotations

import inspect
from ipaddress import ip_network

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import rsa

from rootfs_trust.errors import MalformedError
from rootfs_trust.inputs.constraints import host_names
from rootfs_trust.x509 import Certificate, parse_certificate
from rootfs_trust.x509.constrained import constrained, original_of, permits_nothing, shown_names
from rootfs_trust.x509.name import NameConstraints
from tests.support.authority import Authority

ALL_IPV4, ALL_IPV6 = "0.0.0.0/0", "::/0"


def names(permitted: tuple[str, ...] = (), excluded: tuple[str, ...] = ()) -> NameConstraints:
    return NameConstraints(tuple(map(host_names, permitted)), tuple(map(host_names, excluded)))


def copy_of(authority: Authority, permitted: tuple[str, ...] = (), excluded: tuple[str, ...] = ()) -> Certificate:
    return constrained(parse_certificate(authority.der), names(permitted, excluded))


def shown(certificate: Certificate) -> tuple[list[str], list[str]]:
    constraints = certificate.name_constraints
    assert constraints is not None
    return shown_names(constraints.permitted), shown_names(constraints.excluded)


def own_constraints(permitted: tuple[str, ...], excluded: tuple[str, ...] = ()) -> Authority:
    lists = [[_general_name(each) for each in names] or None for names in (permitted, excluded)]
    return Authority(more=(x509.NameConstraints(*lists),))


def _general_name(text: str) -> x509.GeneralName:
    return x509.IPAddress(ip_network(text)) if "/" in text else x509.DNSName(text)


@pytest.mark.parametrize("key", [None, rsa.generate_private_key(65537, 2048)], ids=["EC", "RSA"])
def test_everything_but_the_constraints_and_the_signature_stays(key):
    authority = Authority("Company CA", key=key)
    copy = copy_of(authority, ("corp.example",))
    before, after = authority.certificate, x509.load_der_x509_certificate(copy.der)
    assert after.subject == before.subject
    assert after.issuer == before.issuer
    assert after.serial_number == before.serial_number
    assert after.public_key() == before.public_key()
    assert after.not_valid_after_utc == before.not_valid_after_utc
    assert [each for each in after.extensions][:-1] == [each for each in before.extensions]
    assert after.extensions[-1].critical
    assert copy.subject.hash == parse_certificate(authority.der).subject.hash


def test_the_copy_is_always_the_same_and_names_its_original():
    authority = Authority()
    copy = copy_of(authority, ("corp.example",))
    assert copy.der == copy_of(authority, ("corp.example",)).der
    assert original_of(copy) == authority.sha256
    assert original_of(parse_certificate(authority.der)) is None
    assert original_of(constrained(copy, names(("host.corp.example",)))) == authority.sha256


def test_a_ca_that_was_issued_with_constraints_is_not_a_copy():
    assert original_of(parse_certificate(own_constraints(("corp.example",)).der)) is None


@pytest.mark.parametrize(
    ("permitted", "excluded", "expected"),
    [
        (("corp.example",), (), (["corp.example"], [ALL_IPV4, ALL_IPV6])),
        (("10.0.0.0/8",), (), (["10.0.0.0/8"], ["*", ALL_IPV6])),
        (("2001:db8::/32",), (), (["2001:db8::/32"], ["*", ALL_IPV4])),
        (("corp.example", "10.0.0.0/8", "2001:db8::/32"), (), (["corp.example", "10.0.0.0/8", "2001:db8::/32"], [])),
        ((), ("bank.example",), ([], ["bank.example"])),
        (("corp.example",), ("x.corp.example",), (["corp.example"], ["x.corp.example", ALL_IPV4, ALL_IPV6])),
    ],
)
def test_kinds_of_names_that_are_not_permitted_are_excluded(permitted, excluded, expected):
    assert shown(copy_of(Authority(), permitted, excluded)) == expected


@pytest.mark.parametrize(
    ("own", "permitted", "expected"),
    [
        (("corp.example",), ("host.corp.example",), ["host.corp.example"]),
        (("host.corp.example",), ("corp.example",), ["host.corp.example"]),
        (("10.0.0.0/8",), ("10.1.0.0/16",), ["10.1.0.0/16"]),
        (("a.example", "b.example"), ("b.example", "c.example"), ["b.example"]),
        (("CORP.example",), ("host.corp.example",), ["host.corp.example"]),
        ((".corp.example",), ("host.corp.example",), ["host.corp.example"]),
    ],
)
def test_constraints_of_the_ca_stay(own, permitted, expected):
    assert shown(copy_of(own_constraints(own), permitted))[0] == expected


def test_two_lists_with_no_name_in_common_permit_nothing():
    assert permits_nothing(copy_of(own_constraints(("corp.example",)), ("other.example",)))
    assert not permits_nothing(copy_of(own_constraints(("corp.example",)), ("corp.example",)))


@pytest.mark.parametrize(
    ("own", "other"),
    [("corp.example", "evilcorp.example"), (".corp.example", "evilcorp.example"), ("10.0.0.0/8", "11.0.0.0/8")],
)
def test_a_name_that_only_ends_alike_is_not_below_another(own, other):
    copy = copy_of(own_constraints((own,)), (other,))
    assert shown(copy)[0] == []
    assert permits_nothing(copy)


def test_constraints_of_other_kinds_stay():
    directory = x509.DirectoryName(x509.Name([x509.NameAttribute(x509.NameOID.ORGANIZATION_NAME, "Company")]))
    own = x509.NameConstraints([directory, x509.RFC822Name("corp.example")], [x509.UniformResourceIdentifier(".x")])
    copy = x509.load_der_x509_certificate(copy_of(Authority(more=(own,)), ("corp.example",)).der)
    found = copy.extensions.get_extension_for_class(x509.NameConstraints).value
    assert found.permitted_subtrees == [*own.permitted_subtrees, x509.DNSName("corp.example")]
    assert own.excluded_subtrees[0] in found.excluded_subtrees


@pytest.mark.parametrize("authority", [Authority(ca=False), Authority().server("host.example")])
def test_a_certificate_that_is_not_a_ca_cannot_be_constrained(authority):
    with pytest.raises(MalformedError, match="is not a CA certificate"):
        copy_of(authority, ("corp.example",))


def test_two_kinds_of_addresses_do_not_limit_each_other():
    copy = copy_of(own_constraints(("10.0.0.0/8",)), ("2001:db8::/32",))
    assert shown(copy) == (["10.0.0.0/8", "2001:db8::/32"], ["*", ALL_IPV4])


def test_a_ca_that_may_not_sign_certificates_cannot_be_constrained():
    usage = {name: name == "crl_sign" for name in inspect.signature(x509.KeyUsage).parameters}
    authority = Authority(key_usage=False, more=(x509.KeyUsage(**usage),))
    assert parse_certificate(authority.der).basic_constraints.ca
    with pytest.raises(MalformedError, match="is not a CA certificate"):
        copy_of(authority, ("corp.example",))


def test_a_ca_whose_constraints_cannot_be_read_cannot_be_constrained():
    """A copy without them would be trusted for more names than the original."""
    der = own_constraints(("corp.example",)).der
    name = b"\x82\x0ccorp.example"
    assert der.count(name) == 1
    broken = parse_certificate(der.replace(name, b"\x82\x0dcorp.example"))
    assert broken.name_constraints is None
    with pytest.raises(MalformedError, match="has name constraints that cannot be read"):
        constrained(broken, names(("corp.example",)))


def test_a_ca_of_version_2_cannot_be_constrained():
    """Extensions count in version 3 only."""
    der = Authority().der
    assert der.count(b"\xa0\3\2\1\2") == 1
    with pytest.raises(MalformedError, match="is not a CA certificate of version 3"):
        constrained(parse_certificate(der.replace(b"\xa0\3\2\1\2", b"\xa0\3\2\1\1")), names(("corp.example",)))


def test_a_longer_signature_that_ends_like_a_digest_is_a_signature():
    der = Authority(key=rsa.generate_private_key(65537, 2048)).der
    by_chance = der[:-35] + bytes((3, 33, 0)) + bytes(32)
    assert original_of(parse_certificate(by_chance)) is None


@pytest.mark.parametrize("text", ["corp.example", "CORP.example", "xn--bcher-kva.example", "_tcp.example", "localhost"])
def test_dns_names(text):
    assert host_names(text).value == text.lower().encode()


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("*.corp.example", "includes its subdomains"),
        (".corp.example", "includes its subdomains"),
        ("", "a DNS name"),
        ("corp..example", "a DNS name"),
        ("corp.example.", "a DNS name"),
        ("bücher.example", "xn--"),
        ("https://corp.example", "an IP network"),
        ("user@corp.example", "a DNS name"),
        ("10.0.0.1/8", "host bits"),
        ("10.0.0", "an IP network"),
        ("300.0.0.1", "an IP network"),
        ("a" * 64, "a DNS name"),
        (7, "a DNS name"),
    ],
)
def test_what_is_not_a_name(text, said):
    with pytest.raises(ValueError, match=said):
        host_names(text)
