"""A marked block of our certificates at the end of somebody else's PEM file."""

from __future__ import annotations

from contextlib import suppress
from time import process_time

import pytest

from rootfs_trust.errors import MalformedError
from rootfs_trust.runtimes.pem_block import BEGIN, END, read_pem_file, with_block
from rootfs_trust.runtimes.request import RuntimeRequest
from rootfs_trust.store.anchor import Anchor
from rootfs_trust.x509 import parse_certificate
from tests.support.authority import Authority

THEIRS, OURS, SECOND = Authority("Theirs"), Authority("Ours"), Authority("Second")
FILES = {
    "certifi": b"\n# Issuer: CN=Theirs\n# Serial: 1\n" + THEIRS.pem + b"\n",
    "without a final newline": THEIRS.pem.rstrip(b"\n"),
    "CRLF": THEIRS.pem.replace(b"\n", b"\r\n"),
    "empty": b"",
    "text": b"no certificate at all",
}


def anchor(name: str, authority: Authority) -> Anchor:
    return Anchor(name, parse_certificate(authority.der), "")


@pytest.fixture(params=FILES.values(), ids=FILES)
def data(request) -> bytes:
    return request.param


def test_foreign_certificates_keep_their_bytes(data):
    assert with_block(data, [anchor("ours", OURS)]).startswith(data)


def test_what_was_added_is_read_again(data):
    file = read_pem_file(with_block(data, [anchor("b", OURS), anchor("a", SECOND)]))
    assert {name: each.der for name, each in file.ours.items()} == {"a": SECOND.der, "b": OURS.der}
    assert file.others == data


def test_the_order_of_the_anchors_does_not_matter(data):
    pair = [anchor("b", OURS), anchor("a", SECOND)]
    assert with_block(data, pair) == with_block(data, pair[::-1])


def test_no_anchors_give_back_the_file(data):
    assert with_block(data, []) == data


def test_a_certificate_that_others_have_is_not_added():
    request = RuntimeRequest((anchor("theirs", THEIRS), anchor("ours", OURS)))
    assert [each.name for each in read_pem_file(FILES["certifi"]).wanted(request)] == ["ours"]


def test_a_name_gets_the_new_certificate():
    file = read_pem_file(with_block(b"", [anchor("ours", OURS)]))
    (wanted,) = file.wanted(RuntimeRequest((anchor("ours", SECOND),)))
    assert wanted.certificate.der == SECOND.der


def test_what_is_removed_is_not_wanted():
    file = read_pem_file(with_block(b"", [anchor("ours", OURS)]))
    assert file.wanted(RuntimeRequest(removed=frozenset({OURS.sha256}))) == []


def test_a_distrusted_certificate_of_others_goes_with_its_comment():
    data = FILES["certifi"] + b"\n# Issuer: CN=Second\n" + SECOND.pem
    left = read_pem_file(data).without({SECOND.sha256})
    assert left == FILES["certifi"] + b"\n"


@pytest.mark.parametrize(
    "change",
    [
        lambda data: data.replace(END, b""),
        lambda data: data.replace(BEGIN, b""),
        lambda data: data + data,
        lambda data: data.replace(END, b"more\n" + END),
        lambda data: data.replace(b"\n-----END", b"\n!\n-----END"),
        lambda data: data[: data.find(b"-----\n") + 6] + b"A\n" + data[data.find(b"-----END") :],
    ],
    ids=["no end", "no begin", "two blocks", "text", "no base64", "base64 cut off"],
)
def test_a_block_that_was_changed_is_refused(change):
    with pytest.raises(MalformedError, match="block of rootfs-trust"):
        read_pem_file(change(with_block(b"", [anchor("ours", OURS)])))


@pytest.mark.parametrize("line", [b"#\n", b"\n" + BEGIN, b"-----BEGIN CERTIFICATE-----\n"], ids=["#", "block", "PEM"])
def test_many_lines_take_linear_time(line):
    data = line * 100_000
    start = process_time()
    with suppress(MalformedError):
        assert read_pem_file(data).without({OURS.sha256}) == data
    assert process_time() - start < 10
