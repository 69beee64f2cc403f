"""What the root data says of a root: a date that has passed reads as past."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest

from rootfs_trust.audit.root_status import (
    COMPROMISED,
    REMOVED,
    TRUSTED,
    UNLISTED,
    due_text,
    ending_text,
    root_status,
    successors,
)
from rootfs_trust.inputs.root_data import (
    CloudRoot,
    ConcernedCertificate,
    DatedFact,
    Departure,
    Incident,
    ProgramRoot,
    RootData,
)
from rootfs_trust.store.cloud_roots import removal_date
from rootfs_trust.x509 import parse_certificate
from tests.support.authority import Authority

ROOT = ProgramRoot("Old Root", "a" * 64, "b" * 64, date(2010, 5, 1), date(2040, 1, 1), DatedFact(None, "a list"))


def test_a_removal_that_is_due_later_is_due():
    assert due_text(ROOT, date(2020, 1, 1), date(2040, 1, 1)).startswith("is due to leave Mozilla's root program on 20")


def test_a_removal_whose_day_has_passed_was_due():
    assert due_text(ROOT, date(2039, 1, 1), date(2040, 1, 1)).startswith(
        "was due to leave Mozilla's root program on 20"
    )


def test_a_removal_after_the_last_day_says_nothing():
    assert due_text(ROOT, date(2020, 1, 1), date(2020, 1, 2)) == ""


def test_a_removal_on_the_last_day_counts():
    assert due_text(ROOT, date(2020, 1, 1), removal_date(date(2010, 5, 1)))


def test_what_ends_first_is_said():
    ending = ROOT._replace(distrust_after=DatedFact(date(2024, 11, 30), "a rule"))
    assert due_text(ending, date(2020, 1, 1), date(2040, 1, 1)) == (
        "is not trusted by Mozilla's root program for certificates that it issues after 2024-11-30 (a rule)"
    )
    later = ROOT._replace(distrust_after=DatedFact(date(2039, 11, 30), "a rule"))
    assert due_text(later, date(2020, 1, 1), date(2040, 1, 1)).startswith("is due to leave")


def test_an_incident_counts_more_than_the_list_of_the_program():
    authority = Authority()
    certificate = parse_certificate(authority.der)
    named = ConcernedCertificate("Old Root", "root", sha256=certificate.sha256)
    incident = Incident(("TEST-1",), "a key leaked", date(2026, 1, 1), "a list", (named,))
    gone = ROOT._replace(sha256=certificate.sha256, left=Departure(date(2025, 1, 1), "a list", "cause"))
    kept = gone._replace(left=None)
    for root, word in ((gone, REMOVED), (kept, TRUSTED)):
        data = RootData(date(2026, 1, 1), {certificate.sha256: root}, ())
        assert root_status(data, certificate).word == word
        status = root_status(replace(data, incidents=(incident,)), certificate)
        assert (status.word, "TEST-1 of 2026-01-01: a key leaked" in status.reason) == (COMPROMISED, True)
    assert root_status(RootData(date(2026, 1, 1), {}, ()), certificate).word == UNLISTED


# -- the clouds ------------------------------------------------------------------------------------------------

LEAVING, NEXT, SPARE = Authority("Leaving"), Authority("Next"), Authority("Spare")


def of_cloud(authority: Authority, need: str, *, cloud: str = "aws", until: date | None = None) -> CloudRoot:
    what = f"is {need} for {cloud}"
    return CloudRoot(cloud, "", authority.sha256, "", need, what, DatedFact(date(2026, 1, 1), "its documents"), until)


CLOUDS = RootData(
    date(2026, 1, 1),
    {},
    (),
    cloud_roots=(
        of_cloud(LEAVING, "leaving", until=date(2030, 6, 1)),
        of_cloud(NEXT, "required"),
        of_cloud(SPARE, "recommended"),
        of_cloud(Authority("Rare"), "optional"),
        of_cloud(Authority("Elsewhere"), "required", cloud="az"),
    ),
)


@pytest.mark.parametrize(
    ("last", "says"),
    [
        (date(2030, 5, 31), ""),
        (date(2030, 6, 1), "is leaving for aws, and will not after 2030-06-01 (its documents)"),
        (date(2031, 1, 1), "is leaving for aws, and will not after 2030-06-01 (its documents)"),
    ],
)
def test_a_root_that_a_cloud_leaves_ends_on_that_day(last, says):
    assert ending_text(CLOUDS, parse_certificate(LEAVING.der), date(2026, 1, 1), last) == says


def test_successors_are_what_the_same_cloud_needs_or_recommends():
    found = successors(CLOUDS, parse_certificate(LEAVING.der))
    assert [each.sha256 for each in found] == [NEXT.sha256, SPARE.sha256]
    assert [each.sha256 for each in successors(CLOUDS, parse_certificate(NEXT.der))] == [SPARE.sha256]
    assert successors(CLOUDS, parse_certificate(Authority().der)) == ()
