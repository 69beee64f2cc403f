"""What was parsed last is remembered, within a limit."""

from __future__ import annotations

import pytest

from rootfs_trust.errors import MalformedError
from rootfs_trust.x509 import parse_certificate
from rootfs_trust.x509.recent import Recent

from .building import certificate, name, utf8


def test_a_certificate_that_was_parsed_before_is_the_same_object():
    der = certificate(name(utf8("Recent")))
    assert parse_certificate(bytes(bytearray(der))) is parse_certificate(bytes(bytearray(der)))


def test_what_was_refused_is_refused_again_with_a_new_error():
    errors = []
    for _ in range(2):
        with pytest.raises(MalformedError) as caught:
            parse_certificate(b"0\x03\x02\x01\x00")
        errors.append(caught.value)
    assert errors[0] is not errors[1]
    assert errors[0].message == errors[1].message


def test_the_least_recently_used_keys_are_forgotten_once_the_limit_is_passed():
    recent: Recent[int] = Recent(limit=6)
    recent.put(b"aaa", 1)
    recent.put(b"bbb", 2)
    recent.get(b"aaa")
    recent.put(b"c", 3)
    assert [recent.get(key) for key in (b"aaa", b"bbb", b"c")] == [1, None, 3]


def test_a_key_longer_than_the_limit_is_not_kept():
    recent: Recent[int] = Recent(limit=2)
    recent.put(b"aaa", 1)
    assert recent.get(b"aaa") is None
