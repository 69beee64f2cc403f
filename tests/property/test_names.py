"""The hash of any name is that of the real OpenSSL, whatever its types and however it is written down."""

from __future__ import annotations

import os
import random
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from rootfs_trust.errors import MalformedError
from rootfs_trust.store.hash_links import HashedFile, is_hash_link_name, links, read_entry
from rootfs_trust.x509 import Name, encode
from tests.unit.x509.building import attribute, certificate, element, long_length

FOLDED = {12: "utf-8", 19: "latin-1", 20: "latin-1", 22: "latin-1", 28: "utf-32-be", 30: "utf-16-be"}
# What differs between versions of OpenSSL; we refuse it.
VERSION_DEPENDENT = "some versions of OpenSSL refuse"

characters = st.one_of(
    st.sampled_from(" \t\n\v\f\r\0\x1c\x1f\x85\xa0aAzZéÉİßЯ€\U0001f600﷐-"),
    st.characters(exclude_categories=["Cs"]),
)
texts = st.text(characters, max_size=12)
octets = st.binary(max_size=12)
tags = st.integers(0, 31)
oids = st.sampled_from(("550403", "550406", "55040a", "0992268993f22c640119", "2a8648", "8001", "5580", "", "ff7f"))


def as_folded(tag: int, text: str) -> bytes:
    return element(tag, text.encode(FOLDED[tag], "replace"))


values = st.one_of(
    st.builds(as_folded, st.sampled_from(sorted(FOLDED)), texts),
    st.builds(as_folded, st.sampled_from(sorted(FOLDED)), texts),
    st.builds(element, tags, octets),
    st.builds(element, tags.map(lambda tag: tag | 0x20), octets),
    st.builds(element, st.integers(0, 255), octets),
)


def rewritten(whole: bytes, form: int) -> bytes:
    """An element with a short length in one of the ways of BER."""
    if len(whole) < 2 or whole[1] >= 0x80 or form == 0:
        return whole
    first, contents = whole[0], whole[2:]
    if form == 1:
        return bytes((first,)) + long_length(len(contents), form) + contents
    if form == 2:
        return bytes((first | 0x1F, first & 0x1F)) + whole[1:]
    pieces = contents if first & 0x20 else element(4, contents[:3]) + element(first, contents[3:])
    if form == 3:
        return bytes((first | 0x20, 0x80)) + pieces + b"\0\0"
    return element(first | 0x20, pieces)


def in_any_form(elements: st.SearchStrategy[bytes]) -> st.SearchStrategy[bytes]:
    forms = st.one_of(st.just(0), st.just(0), st.integers(0, 4))
    return st.builds(rewritten, elements, forms)


def wrapped(identifier: int) -> Callable[[list[bytes]], bytes]:
    return lambda parts: element(identifier, *parts)


attributes = in_any_form(st.builds(attribute, in_any_form(values), oids.map(lambda o: element(6, bytes.fromhex(o)))))
sets = in_any_form(st.lists(attributes, max_size=3).map(wrapped(0x31)))
names = in_any_form(st.lists(sets, max_size=4).map(wrapped(0x30)))
orderly = st.lists(st.builds(as_folded, st.sampled_from(sorted(FOLDED)), texts).map(attribute), min_size=1, max_size=3)
orderly_names = st.lists(orderly.map(wrapped(0x31)), max_size=3).map(wrapped(0x30))


@pytest.fixture(scope="module", autouse=True)
def openssl() -> None:
    if not shutil.which("openssl"):
        (pytest.fail if os.environ.get("CI") else pytest.skip)("openssl is not there")


@settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.lists(names | orderly_names, min_size=30, max_size=60))
def test_names_of_any_kind_and_form(drawn: list[bytes]) -> None:
    """One directory a run: `openssl rehash` answers for all its certificates at once."""
    entries = []
    with TemporaryDirectory() as directory:
        for number, subject in enumerate(drawn):
            # A different number makes each a different certificate.
            der = certificate(subject, serial=element(2, b"\1" + number.to_bytes(2)))
            entry = read_entry(f"{number:03}.pem", encode(der))
            if not depends_on_version(entry):
                entries.append(entry)
                (Path(directory) / entry.name).write_bytes(encode(der))
        assert links(entries, ("new", "old")) == rehashed(directory)


def depends_on_version(entry: HashedFile) -> bool:
    return any(VERSION_DEPENDENT in warning.message for warning in entry.warnings)


def rehashed(directory: str) -> dict[str, str]:
    subprocess.run(["openssl", "rehash", "-compat", directory], capture_output=True, check=False)
    return {
        path.name: str(path.readlink())
        for path in Path(directory).iterdir()
        if path.is_symlink() and is_hash_link_name(path.name)
    }


@settings(max_examples=15, deadline=None)
@given(orderly_names)
def test_subject_hash_says_the_same(subject: bytes) -> None:
    """One certificate, one question: what people type to find the name of a link."""
    command = ["openssl", "x509", "-inform", "DER", "-noout", "-subject_hash", "-subject_hash_old"]
    der = certificate(subject)
    answer = subprocess.run(command, input=der, capture_output=True, check=False).stdout.decode().split()
    try:
        ours = [Name(subject).hash, Name(subject).hash_old]
    except MalformedError:
        ours = []
    assert ours == answer


latin = st.text(st.characters(max_codepoint=0xFF), max_size=12)


@given(latin, st.sampled_from(sorted(FOLDED)), st.sampled_from(sorted(FOLDED)))
def test_types_of_text_are_all_one(text: str, tag: int, other: int) -> None:
    """Text of every folded type becomes UTF8String."""
    one, another = (element(0x30, element(0x31, attribute(as_folded(each, text)))) for each in (tag, other))
    assert Name(one) == Name(another)
    assert Name(one).hash == Name(another).hash


@given(st.lists(latin.map(lambda text: attribute(as_folded(12, text))), min_size=1, max_size=4), st.randoms())
def test_the_new_hash_knows_no_order_in_a_set(parts: list[bytes], chance: random.Random) -> None:
    """Elements of a SET are sorted after folding: their order on disk matters to the old hash alone."""
    one = Name(element(0x30, element(0x31, *parts)))
    chance.shuffle(parts)
    assert Name(element(0x30, element(0x31, *parts))).hash == one.hash


@given(st.text(st.characters(max_codepoint=0x7F), max_size=12))
def test_case_and_spaces_of_ascii_do_not_count(text: str) -> None:
    """ASCII letters become small, runs of white space one space, and none stays at the ends."""
    spaced = "\t " + text.replace(" ", " \n\v\f\r ").upper() + "  "
    assert Name(element(0x30, element(0x31, attribute(as_folded(12, spaced))))) == Name(
        element(0x30, element(0x31, attribute(as_folded(22, text))))
    )
