"""Mozilla's certdata.txt: who is trusted for what, until when, and which line makes no sense."""

from __future__ import annotations

import contextlib
from datetime import UTC, datetime, timedelta
from hashlib import sha1

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rootfs_trust.errors import MalformedError
from rootfs_trust.inputs.certdata import Listed, anchors, certificates_of_certdata, looks_like_certdata
from rootfs_trust.x509 import parse_certificate
from tests.unit.x509.building import certificate, element, name, utf8

ISSUER = name(utf8("Alpha"))
SERIAL = element(0x02, b"\1")
ALPHA = certificate(ISSUER)
NEVER = datetime(2100, 1, 1, tzinfo=UTC)
TRUSTED, REFUSED, UNSAID = "CKT_NSS_TRUSTED_DELEGATOR", "CKT_NSS_NOT_TRUSTED", "CKT_NSS_MUST_VERIFY_TRUST"
LICENCE = b"#\n# This Source Code Form\n\n#  CKA_CLASS  CK_OBJECT_CLASS  CKO_CERTIFICATE\nBEGINDATA\n"


def octal(attribute: str, octets: bytes) -> str:
    text = "".join(f"\\{octet:03o}" for octet in octets)
    lines = [text[at : at + 64] for at in range(0, len(text), 64)]
    return "\n".join((f"{attribute} MULTILINE_OCTAL", *lines, "END"))


def certificate_object(der: bytes = ALPHA, *more: str, label: str = '"Alpha"', issuer: bytes = ISSUER) -> str:
    return "\n".join(
        (
            "#\n# Certificate\n#\nCKA_CLASS CK_OBJECT_CLASS CKO_CERTIFICATE\nCKA_TOKEN CK_BBOOL CK_TRUE",
            f"CKA_LABEL UTF8 {label}",
            octal("CKA_ISSUER", issuer),
            octal("CKA_SERIAL_NUMBER", SERIAL),
            octal("CKA_VALUE", der),
            *more,
            "",
        )
    )


def trust_object(server: str, *more: str, der: bytes | None = ALPHA, issuer: bytes = ISSUER, **levels: str) -> str:
    hashed = [] if der is None else [octal("CKA_CERT_SHA1_HASH", sha1(der).digest())]
    said = {"SERVER_AUTH": server, **levels}
    return "\n".join(
        (
            "# Trust\nCKA_CLASS CK_OBJECT_CLASS CKO_NSS_TRUST",
            *hashed,
            octal("CKA_ISSUER", issuer),
            octal("CKA_SERIAL_NUMBER", SERIAL),
            *(f"CKA_TRUST_{purpose} CK_TRUST {level}" for purpose, level in said.items()),
            *more,
            "",
        )
    )


def until(date: str, purpose: str = "SERVER") -> str:
    return octal(f"CKA_NSS_{purpose}_DISTRUST_AFTER", date.encode())


def certdata(*objects: str) -> bytes:
    return LICENCE + "\n".join(objects).encode()


def listed(*objects: str) -> list[Listed]:
    return certificates_of_certdata(certdata(*objects))


def test_recognised_by_its_form() -> None:
    assert looks_like_certdata(certdata(certificate_object()))
    assert looks_like_certdata(certdata(certificate_object()).replace(b"\n", b"\r\n"))
    for other in (
        b"",
        ALPHA,
        b"BEGINDATA\n",
        certificate_object().encode(),
        b"CKA_CLASS CK_OBJECT_CLASS X\nBEGINDATA\n",
    ):
        assert not looks_like_certdata(other)


def test_a_root_that_is_trusted() -> None:
    (root,) = listed(certificate_object(), trust_object(TRUSTED, EMAIL_PROTECTION=TRUSTED, CODE_SIGNING=UNSAID))
    assert root == Listed(
        parse_certificate(ALPHA), "Alpha", 9, frozenset(("server-auth", "email")), frozenset(), None, None
    )
    assert root.der == ALPHA


def test_windows_line_ends_change_nothing() -> None:
    data = certdata(certificate_object(), trust_object(TRUSTED))
    assert certificates_of_certdata(data.replace(b"\n", b"\r\n")) == certificates_of_certdata(data)


@pytest.mark.parametrize("level", [UNSAID, "CKT_NSS_TRUST_UNKNOWN", "CKT_NSS_VALID_DELEGATOR", "CKT_NSS_TRUSTED"])
def test_a_certificate_of_which_nothing_is_said(level: str) -> None:
    (root,) = listed(certificate_object(), trust_object(level))
    assert (root.trusted, root.distrusted) == (frozenset(), frozenset())


def test_a_certificate_without_a_trust_object_is_trusted_for_nothing() -> None:
    (root,) = listed(certificate_object())
    assert (root.trusted, root.distrusted) == (frozenset(), frozenset())


def test_a_certificate_that_is_there_to_be_refused() -> None:
    (root,) = listed(certificate_object(), trust_object(REFUSED, CODE_SIGNING=TRUSTED))
    assert (root.trusted, root.distrusted) == ({"code-signing"}, {"server-auth"})
    assert anchors("certdata.txt", [root], NEVER) == ([], [])


def test_of_two_statements_distrust_wins() -> None:
    found = listed(certificate_object(), trust_object(TRUSTED), trust_object(REFUSED))
    assert anchors("certdata.txt", found, NEVER) == ([], [])


def test_trust_may_come_before_its_certificate_and_far_from_it() -> None:
    other = name(utf8("Other"))
    beta = certificate(other)
    found = listed(
        trust_object(TRUSTED, der=beta, issuer=other),
        certificate_object(),
        trust_object(REFUSED, der=None, issuer=name(utf8("An intermediate that is not in the list"))),
        certificate_object(beta, issuer=other, label='"Beta"'),
    )
    assert [(each.label, set(each.trusted), set(each.distrusted)) for each in found] == [
        ("Alpha", set(), set()),
        ("Beta", {"server-auth"}, set()),
    ]


def test_with_the_same_issuer_and_serial_number_the_digest_decides() -> None:
    twin = certificate(ISSUER, signature=element(0x03, b"\0\2"))
    first, second = listed(certificate_object(), certificate_object(twin), trust_object(TRUSTED, der=twin))
    assert (first.trusted, second.trusted) == (frozenset(), {"server-auth"})


def test_a_statement_without_a_digest_goes_by_issuer_and_serial_number() -> None:
    (root,) = listed(certificate_object(), trust_object(REFUSED, der=None))
    assert root.distrusted == {"server-auth"}


@pytest.mark.parametrize(
    ("label", "text"),
    [('""', ""), ('"Főtan"', "Főtan"), (r'"F\xc5\x91 \"x\" \\"', 'Fő "x" \\'), ('"two  words"', "two  words")],
)
def test_labels(label: str, text: str) -> None:
    assert listed(certificate_object(label=label))[0].label == text


# -- distrust after a date ---------------------------------------------------------------------------------

DATE = datetime(2024, 11, 30, 23, 59, 59, tzinfo=UTC)
PLAIN = "CKA_NSS_SERVER_DISTRUST_AFTER CK_BBOOL CK_FALSE"


def test_dates_on_either_object() -> None:
    """Most stand on the certificate, Izenpe's stands on the trust object."""
    (one,) = listed(certificate_object(ALPHA, until("241130235959Z"), until("20300101000000Z", "EMAIL")))
    (two,) = listed(certificate_object(ALPHA, PLAIN), trust_object(TRUSTED, until("241130235959Z")))
    assert one.server_distrust_after == two.server_distrust_after == DATE
    assert one.email_distrust_after == datetime(2030, 1, 1, tzinfo=UTC)
    assert two.email_distrust_after is None


def test_the_earlier_date_counts() -> None:
    (root,) = listed(certificate_object(ALPHA, until("300101000000Z")), trust_object(TRUSTED, until("241130235959Z")))
    assert root.server_distrust_after == DATE


def test_a_root_stays_while_what_it_issued_before_may_be_valid() -> None:
    found = listed(certificate_object(ALPHA, until("241130235959Z")), trust_object(TRUSTED))
    for days, count in ((-1, 1), (0, 1), (398, 1), (399, 0)):
        kept, told = anchors("certdata.txt", found, DATE + timedelta(days))
        assert (len(kept), [problem.id for problem in told]) == (count, ["distrust-after"])
        assert told[0].path == "certdata.txt:9"
        assert ("not installed" in told[0].message) is (count == 0)


def test_a_date_for_email_alone_does_not_concern_a_store_for_tls() -> None:
    found = listed(certificate_object(ALPHA, until("041130235959Z", "EMAIL")), trust_object(TRUSTED))
    assert anchors("certdata.txt", found, NEVER) == (found, [])


def test_only_roots_for_servers_become_anchors() -> None:
    found = listed(certificate_object(), trust_object(UNSAID, EMAIL_PROTECTION=TRUSTED))
    assert anchors("certdata.txt", found, NEVER) == ([], [])


# -- what makes no sense -----------------------------------------------------------------------------------

GOOD = certdata(certificate_object(ALPHA, PLAIN), trust_object(TRUSTED)).decode()
FIRST_OCTAL = octal("CKA_ISSUER", ISSUER)


@pytest.mark.parametrize(
    ("old", "new", "line", "reason"),
    [
        ("CKA_TOKEN CK_BBOOL CK_TRUE", "nonsense", 10, "neither an attribute nor a comment"),
        ("CKA_TOKEN CK_BBOOL CK_TRUE", "CKA_TOKEN", 10, "neither an attribute nor a comment"),
        ("CKA_TOKEN CK_BBOOL CK_TRUE", 'CKA_LABEL UTF8 "x"', 11, "is twice"),
        ("BEGINDATA", "BEGINDATA\nCKA_TOKEN CK_BBOOL CK_TRUE", 6, "before the first CKA_CLASS"),
        ('"Alpha"', "Alpha", 11, "not a quoted string"),
        ('"Alpha"', '"', 11, "not a quoted string"),
        (FIRST_OCTAL, FIRST_OCTAL.replace("\\060", "\\400", 1), 13, "not a line of octal escapes"),
        (FIRST_OCTAL, FIRST_OCTAL.replace("\\060", "\\06", 1), 13, "not a line of octal escapes"),
        (FIRST_OCTAL, FIRST_OCTAL.removesuffix("END"), 16, "CKA_ISSUER has no END before it"),
        (FIRST_OCTAL, 'CKA_ISSUER UTF8 "x"', 12, "CKA_ISSUER is not MULTILINE_OCTAL"),
        (FIRST_OCTAL, "# gone", 9, "CKA_ISSUER is missing"),
        (octal("CKA_VALUE", ALPHA), octal("CKA_VALUE", ALPHA[:-1]), 9, "not a valid X.509 certificate"),
        (TRUSTED, "CKT_NSS_TRUSTED_PERHAPS", None, "unknown value: CKT_NSS_TRUSTED_PERHAPS"),
        (TRUSTED, "", None, "unknown value: "),
        (PLAIN, PLAIN.replace("FALSE", "TRUE"), None, "neither a date nor CK_FALSE"),
        (PLAIN, until("tomorrow"), None, "neither a date nor CK_FALSE"),
        (PLAIN, PLAIN.replace("CK_BBOOL CK_FALSE", "UTF8 241130235959Z"), None, "neither a date nor CK_FALSE"),
    ],
)
def test_broken_lines(old: str, new: str, line: int | None, reason: str) -> None:
    assert GOOD.count(old) >= 1
    line = line or GOOD[: GOOD.index(old)].count("\n") + 1
    with pytest.raises(MalformedError) as caught:
        certificates_of_certdata(GOOD.replace(old, new, 1).encode())
    assert caught.value.message.startswith(f"line {line}: ")
    assert reason in caught.value.message


def test_a_list_of_nothing() -> None:
    assert certificates_of_certdata(LICENCE) == []


def test_a_file_cut_short_within_bytes() -> None:
    data = certdata(certificate_object())
    with pytest.raises(MalformedError, match=r"line \d+: CKA_VALUE has no END"):
        certificates_of_certdata(data[: data.rindex(b"END")])


def test_another_file() -> None:
    with pytest.raises(MalformedError, match="BEGINDATA is missing"):
        certificates_of_certdata(b"text")


@given(st.integers(0, len(GOOD)), st.binary(max_size=8), st.integers(0, 8))
def test_no_input_breaks_the_reader(at: int, octets: bytes, gone: int) -> None:
    data = GOOD.encode()
    with contextlib.suppress(MalformedError):
        certificates_of_certdata(data[:at] + octets + data[at + gone :])
