"""Names in the store: safe, predictable, and the same for whoever adds and whoever removes."""

import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rootfs_trust.store.anchor import MAX_NAME, name_of_file, name_of_subject, safe_name
from rootfs_trust.x509 import parse_certificate
from tests.support.authority import Authority

SAFE = set(string.ascii_letters + string.digits + "._-")


@given(st.text(max_size=300))
def test_every_name_is_safe_and_stays_as_it_is(text):
    name = safe_name(text)
    assert set(name) <= SAFE and not name.startswith((".", "-"))
    assert len(name) == min(len(text), MAX_NAME)
    assert safe_name(name) == name


@given(st.text(st.sampled_from(sorted(SAFE)), min_size=1, max_size=MAX_NAME).filter(lambda text: text[0] not in ".-"))
def test_a_safe_name_is_kept(text):
    assert safe_name(text) == text


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("/a/b/ca.pem", "ca"),
        ("ca.CRT", "ca"),
        ("ca.pem.crt", "ca.pem"),
        ("a.b/ca", "ca"),
        ("ca.txt", "ca.txt"),
        (".pem", "_pem"),
        ("-x.pem", "_x"),
        ("ca.", "ca."),
        ("a b.cer", "a_b"),
    ],
)
def test_the_name_of_a_file(path, name):
    assert name_of_file(path) == name


@pytest.mark.parametrize(
    ("common_name", "organization", "name"),
    [
        ("Root CA 1", "Org", "Root_CA_1"),
        ("", "Org & Co", "Org___Co"),
        ("", None, "anchor-0123abcd"),
        (" padded ", None, "padded"),
        ("Wurzel Ä", None, "Wurzel__"),
        ("../../etc/passwd", None, "_._.._etc_passwd"),
    ],
)
def test_the_name_of_a_subject(common_name, organization, name):
    subject = parse_certificate(Authority(common_name, organization=organization).der).subject
    assert name_of_subject(subject, "0123abcd" * 8) == name
