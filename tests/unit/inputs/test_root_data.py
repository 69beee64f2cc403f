"""The table of public roots that ``--root-data`` names: read whole, or refused with one error."""

from __future__ import annotations

import copy
import json
from datetime import date

import pytest

from rootfs_trust.errors import InputError
from rootfs_trust.inputs.root_data import load_root_data, parse_root_data
from rootfs_trust.x509 import parse_certificate
from tests.support.authority import Authority
from tests.support.command import REPOSITORY
from tests.support.root_data import cloud_root, concerned, incident, left, root, spki, table
from tests.support.schemas import validator

CA, OTHER = Authority("Root One"), Authority("Root Two")
GOOD = table(
    root(CA, left=left(reason="cause", note="keys leaked", note_source="CVE-1")),
    root(OTHER, distrust_after={"date": "2026-01-01", "source": "a list"}),
    incidents=(incident(concerned(OTHER, "root"), concerned(CA, "intermediate", by="spki", note="signed by both")),),
    cloud_roots=[cloud_root(CA), cloud_root(OTHER, "leaving", until="2027-04-15", vouches_for=[CA.sha256])],
)


def test_every_fact_of_a_table_is_read():
    data = parse_root_data(json.dumps(GOOD).encode())
    assert data.live == (data.roots[OTHER.sha256],)
    gone = data.roots[CA.sha256].left
    assert gone and (gone.date, gone.reason, gone.note) == (date(2026, 4, 15), "cause", "keys leaked")
    assert data.roots[OTHER.sha256].distrust_after.date == date(2026, 1, 1)
    renewed = Authority("Another Name", key=CA.key)
    found, certificate = data.concerning(parse_certificate(renewed.der))
    assert found.ids == ("TEST-2026-1",) and certificate.spki == spki(CA)
    assert data.concerning(parse_certificate(Authority("Root One").der)) is None


def test_the_roots_of_clouds_are_read():
    required, leaving = parse_root_data(json.dumps(GOOD).encode()).cloud_roots
    assert (required.cloud, required.need, required.until) == ("aws", "required", None)
    assert (leaving.until, leaving.vouches_for) == (date(2027, 4, 15), (CA.sha256,))
    assert parse_root_data(json.dumps(table()).encode()).cloud_roots == ()


def test_the_schema_describes_the_packages_table_and_the_tests():
    validator("root-data").validate(GOOD)
    validator("root-data").validate(json.loads((REPOSITORY / "root_data/roots.json").read_text()))


def changed(*keys: object, to: object) -> dict:
    document = copy.deepcopy(GOOD)
    place = document
    for key in keys[:-1]:
        place = place[key]
    if to is None:
        del place[keys[-1]]
    else:
        place[keys[-1]] = to
    return document


BROKEN = {
    "is not JSON": b'{"format": 1',
    "is not UTF-8": b'{"format": "\xff"}',
    "the document is not an object": b"[]",
    "is nested too deeply": b"[" * 200_000,
    "is larger than": b" " * (16 * 1024 * 1024 + 1),
    "format is missing": b"{}",
    "format 1": json.dumps(changed("format", to=2)).encode(),
    "date is not a date": json.dumps(changed("date", to="yesterday")).encode(),
    "roots is not a list": json.dumps(changed("roots", to={})).encode(),
    "roots[0] is not an object": json.dumps(changed("roots", 0, to="x")).encode(),
    "roots[1].sha256 is not 64": json.dumps(changed("roots", 1, "sha256", to="AB" * 32)).encode(),
    "roots[0].spki is missing": json.dumps(changed("roots", 0, "spki", to=None)).encode(),
    "roots[0].left.reason is not one of": json.dumps(changed("roots", 0, "left", "reason", to=["age"])).encode(),
    "the same root twice": json.dumps(changed("roots", 1, "sha256", to=CA.sha256)).encode(),
    "roots[0].name is not a text": json.dumps(changed("roots", 0, "name", to="x" * 1001)).encode(),
    "incidents[0].ids[0] is not a text": json.dumps(changed("incidents", 0, "ids", to=[1])).encode(),
    "incidents[0] needs at least": json.dumps(changed("incidents", 0, "certificates", to=[])).encode(),
    "needs a sha256": json.dumps(changed("incidents", 0, "certificates", 0, "sha256", to=None)).encode(),
    "is not a certificate": json.dumps(changed("incidents", 0, "certificates", 0, "certificate", to="AAAA")).encode(),
    "Exceeds the limit": b'{"format": 1' + b"0" * 10_000 + b"}",
}


@pytest.mark.parametrize("message", BROKEN)
def test_a_broken_table_is_one_clear_error(tmp_path, message):
    file = tmp_path / "roots.json"
    file.write_bytes(BROKEN[message])
    with pytest.raises(InputError) as raised:
        load_root_data(str(file))
    (problem,) = raised.value.problems
    assert (problem.id, problem.path) == ("root-data", str(file))
    assert message in problem.message and problem.hint


def test_a_table_that_cannot_be_read(tmp_path):
    for path in (tmp_path / "missing.json", tmp_path):
        with pytest.raises(InputError) as raised:
            load_root_data(str(path))
        assert [each.id for each in raised.value.problems] == ["root-data"]


def test_a_table_with_a_private_key_is_refused_like_every_input(tmp_path):
    file = tmp_path / "roots.json"
    file.write_bytes(CA.key_pem)
    with pytest.raises(InputError) as raised:
        load_root_data(str(file))
    assert [each.id for each in raised.value.problems] == ["private-key"]
