"""A certificate that was parsed before is not parsed again, within a limit."""

from __future__ import annotations

import sys
from concurrent.futures import ThreadPoolExecutor

import pytest

from rootfs_trust.errors import MalformedError
from rootfs_trust.x509 import parse_certificate
from rootfs_trust.x509.certificate import _parsed
from rootfs_trust.x509.parse_cache import LARGE, MOST_LARGE, MOST_SMALL, SMALL, cached

from .building import certificate, extension, name, utf8

MALFORMED = b"0\x03\x02\x01\x00"


def large(number: int, size: int = 100_000) -> bytes:
    return certificate(name(utf8(f"Large {number}")), extensions=(extension("2a0304", bytes(size)),))


def parsed_again(der: bytes):
    return parse_certificate(bytes(bytearray(der)))


@pytest.mark.parametrize("der", [certificate(name(utf8("Small"))), large(0)], ids=["small", "large"])
def test_a_certificate_that_was_parsed_before_is_the_same_object(der):
    assert parsed_again(der) is parsed_again(der)


def test_what_was_refused_is_refused_again_with_a_new_error():
    errors = []
    for _ in range(2):
        with pytest.raises(MalformedError) as caught:
            parse_certificate(MALFORMED)
        errors.append(caught.value)
    assert errors[0] is not errors[1]
    assert errors[0].message == errors[1].message


def test_an_error_that_is_remembered_holds_no_frames():
    with pytest.raises(MalformedError):
        parse_certificate(MALFORMED)
    assert isinstance(_parsed(MALFORMED), str)


@pytest.mark.parametrize(("size", "most"), [(SMALL, MOST_SMALL), (LARGE, MOST_LARGE)])
def test_what_is_remembered_is_bounded(size, most):
    parsed = []
    parse = cached(lambda how, data: parsed.append(data))
    inputs = [number.to_bytes(2, "big") + bytes(size - 2) for number in range(most + 1)]
    for each in [*inputs, *inputs[1:], inputs[0]]:  # the first one is forgotten when the last one is read
        parse("", each)
    assert len(parsed) == len(inputs) + 1
    assert most * size <= 128 << 20


def test_larger_data_is_not_remembered():
    huge = large(0, LARGE)
    assert parsed_again(huge) is not parsed_again(huge)


def test_threads_parse_the_same_certificates():
    """More than are remembered, so that some are forgotten while others are looked up."""
    ders = [large(number) for number in range(60)]

    def read(start: int) -> list[str]:
        return [parsed_again(ders[(start + n) % len(ders)]).subject.text for n in range(200)]

    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    try:
        with ThreadPoolExecutor(8) as pool:
            found = list(pool.map(read, range(0, 64, 8)))
    finally:
        sys.setswitchinterval(before)
    assert [set(each) for each in found] == [{f"CN=Large {n}" for n in range(60)}] * 8
