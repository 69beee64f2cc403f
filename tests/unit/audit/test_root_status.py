"""What the root data says of a root: a date that has passed reads as past."""

from __future__ import annotations

from datetime import date

from rootfs_trust.audit.root_status import due_text
from rootfs_trust.inputs.root_data import DatedFact, ProgramRoot

ROOT = ProgramRoot("Old Root", "a" * 64, "b" * 64, date(2010, 5, 1), date(2040, 1, 1), DatedFact(None, "a list"))


def test_a_removal_that_is_due_later_is_due():
    assert due_text(ROOT, date(2020, 1, 1), date(2040, 1, 1)).startswith("is due to leave Mozilla's root program on 20")


def test_a_removal_whose_day_has_passed_was_due():
    assert due_text(ROOT, date(2039, 1, 1), date(2040, 1, 1)).startswith(
        "was due to leave Mozilla's root program on 20"
    )


def test_a_removal_after_the_last_day_says_nothing():
    assert due_text(ROOT, date(2020, 1, 1), date(2020, 1, 2)) == ""
