"""The files of Debian's ca-certificates and of debconf, as their own programs read and write them."""

from __future__ import annotations

import pytest

from rootfs_trust.store.debian.ca_certificates_conf import new_conf, parse_conf, with_distrusted, without_new_roots

NO = b"""\
Name: ca-certificates/trust_new_crts
Template: ca-certificates/trust_new_crts
Value: no
Owners: ca-certificates
Flags: seen
"""
BEFORE = b"Name: a/question\nTemplate: a/question\nValue: caf\xe9 \xc3\xa9\nOwners: a\n"
AFTER = b"Name: z/question\nTemplate: z/question\nOwners: z\nVariables:\n choices = a, b\n"
ASK = NO.replace(b"Value: no", b"Value: ask").replace(b"Flags: seen\n", b"")


def database(*stanzas: bytes) -> bytes:
    """config.dat as debconf writes it: an empty line behind each stanza."""
    return b"".join(stanza + b"\n" for stanza in stanzas)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (b"", database(NO)),
        (database(BEFORE, AFTER), database(BEFORE, AFTER, NO)),
        (database(BEFORE, ASK, AFTER), database(BEFORE, NO, AFTER)),
        (database(ASK, BEFORE), database(NO, BEFORE)),
        (database(BEFORE, ASK, NO), database(BEFORE, NO)),
        (database(BEFORE) + b"\n\n" + database(AFTER), database(BEFORE, AFTER, NO)),
        (BEFORE, database(BEFORE, NO)),
        (BEFORE.rstrip(b"\n"), database(BEFORE, NO)),
    ],
)
def test_debconfs_answer_is_no(before: bytes, after: bytes) -> None:
    assert without_new_roots(before) == after
    assert without_new_roots(after) == after


def test_an_answer_that_is_already_no_leaves_the_file_as_it_is() -> None:
    malformed = BEFORE + b"\n\n\n" + NO + b"\n" + AFTER
    assert without_new_roots(malformed) == malformed


def test_the_list_of_shipped_certificates() -> None:
    found = parse_conf(b"# c\n\n!gone.crt\na.crt\n \t b\\ c.crt\\\\ \n!gone.crt\n! x.crt\nX.crt\nlost.crt")
    assert found.trusted == ("a.crt", "b c.crt\\", "X.crt")
    assert found.distrusted == ("gone.crt", "x.crt")
    assert found.unterminated
    assert not parse_conf(b"a.crt\n").unterminated


def test_names_of_any_bytes_in_the_list() -> None:
    names = ["\udcff.crt", "é.crt"]
    data = new_conf("# c\n", names)
    assert data == b"# c\n\xff.crt\n\xc3\xa9.crt\n"
    assert parse_conf(data).trusted == tuple(names)
    assert with_distrusted(data, names) == b"# c\n!\xff.crt\n!\xc3\xa9.crt\n"


@pytest.mark.parametrize(
    ("before", "names", "after"),
    [
        (b"", ["a"], b"!a\n"),
        (b"a\nb\n", ["a"], b"!a\nb\n"),
        (b"a\n!b\n#c\n\n", ["b", "c", "a"], b"!a\n!b\n#c\n\n!c\n"),
        (b"a\nb", ["b"], b"a\n!b\n"),
        (b"a\n", ["z", "y"], b"a\n!z\n!y\n"),
        (b" a\\ b \n", ["a b"], b"! a\\ b \n"),
    ],
)
def test_distrust_is_an_exclamation_mark_before_the_line(before: bytes, names: list[str], after: bytes) -> None:
    assert with_distrusted(before, names) == after
